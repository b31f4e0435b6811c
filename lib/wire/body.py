"""A JSON request body that is read without being rebuilt.

The gateway reads a handful of top-level fields and may have to change one. A
body that is decoded and encoded again is no longer the caller's: numbers lose
digits, escapes and order change. So only the places of the top-level values
are found, and a change is a splice into the caller's own bytes.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from lib.base.errors import BadRequest

MAX_KEYS = 500
MAX_KEY = 256  # bytes of a key in UTF-8

_KEY = re.compile(rb'\s*+(?:,\s*+)?"((?>[^"\\]++|\\.)*+)"\s*+:\s*+')  # possessive: nothing to go back to
Kind = Literal["object", "list", "string", "bool", "null", "number"]
_KINDS: dict[int, Kind] = {
    ord("{"): "object",
    ord("["): "list",
    ord('"'): "string",
    ord("t"): "bool",
    ord("f"): "bool",
    ord("n"): "null",
}
_NOT_JSON = "The request body must be a JSON object in UTF-8."
_END = re.compile(rb"\s*\}\s*\Z")


class JsonBody:
    """A JSON object, as bytes. Raises `BadRequest` for anything else.

    At most `MAX_KEYS` top-level keys of at most `MAX_KEY` bytes each. An object
    that names a top-level key twice is refused: two parsers could read two
    different models in it.
    """

    __slots__ = ("_spans", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._spans = _top_level(raw)

    def __contains__(self, key: str) -> bool:
        return key in self._spans

    def keys(self) -> list[str]:
        """The top-level keys, in their order."""
        return list(self._spans)

    def get(self, key: str, default: Any = None) -> Any:
        """The decoded value of a top-level key."""
        span = self._spans.get(key)
        return default if span is None else _decode(self.raw[span[0] : span[1]])

    def kind(self, key: str) -> Kind | None:
        """What a top-level value is, by its first byte alone; None when there is no such key."""
        span = self._spans.get(key)
        return None if span is None else _KINDS.get(self.raw[span[0]], "number")

    def decode(self) -> dict[str, Any]:
        """The whole body, decoded."""
        decoded: dict[str, Any] = _decode(self.raw)
        return decoded

    def with_values(self, changes: dict[str, Any]) -> bytes:
        """The same bytes with top-level values replaced, or added at the end. Nothing else moves."""
        out, at = [], 0
        places = sorted((self._spans[key], value) for key, value in changes.items() if key in self._spans)
        for (start, end), value in places:
            out += [self.raw[at:start], msgspec.json.encode(value)]
            at = end
        added = [(key, value) for key, value in changes.items() if key not in self._spans]
        if added:
            brace = self.raw.rindex(b"}")
            out.append(self.raw[at:brace])
            comma = b"," if self._spans else b""
            for key, value in added:
                out += [comma, msgspec.json.encode(key), b":", msgspec.json.encode(value)]
                comma = b","
            at = brace
        out.append(self.raw[at:])
        return b"".join(out)


class _Key(str):
    """A top-level key. A type of its own, so that the decoder asks about each one as soon as it has read it."""

    __slots__ = ()


class _Bound:
    """Counts the top-level keys of one body while they are read: too many are refused before they are kept."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MAX_KEYS

    def key(self, kind: type, value: Any) -> Any:
        """The decoder's hook for `_Key`."""
        self._left -= 1
        if self._left < 0:
            raise BadRequest(f"The request body has more than {MAX_KEYS} fields.")
        if len(value) > MAX_KEY or len(value.encode()) > MAX_KEY:
            raise BadRequest(f"The request body has a field whose name is longer than {MAX_KEY} bytes.")
        return kind(value)


def _top_level(raw: bytes) -> dict[str, tuple[int, int]]:
    """Where each top-level value of a JSON object begins and ends."""
    try:
        fields = msgspec.json.decode(raw, type=dict[_Key, msgspec.Raw], dec_hook=_Bound().key)
        if not raw.isascii():
            raw.decode("utf-8")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest(_NOT_JSON) from None
    at = raw.index(b"{") + 1
    spans = {}
    for key, value in fields.items():
        found = _KEY.match(raw, at)
        view = memoryview(value)
        start = found.end() if found else at
        at = start + len(view)
        if not found or raw[start:at] != view or not _is_name(found[1], key):
            raise BadRequest("The request body names a field twice.")
        spans[str(key)] = (start, at)
    if not _END.match(raw, at):
        raise BadRequest("The request body names a field twice.")
    return spans


def _is_name(literal: bytes, key: str) -> bool:
    """Whether a key's literal, without its quotes, spells `key`."""
    if b"\\" not in literal:
        return literal == key.encode()
    return bool(msgspec.json.decode(b'"%b"' % literal) == key)


def _decode(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(_NOT_JSON) from None
