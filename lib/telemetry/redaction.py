r"""What must never be written: the secrets this process holds, and whatever looks like one.

Strings are treated one by one, before they become part of a line, so a line
stays well-formed whatever is cut out of it. The strings of a log line are
nearly always the same ones, so their results are remembered.

A held secret is found as it is, and as JSON (once or twice), `repr`, a URL or
base64 would spell it; in base64 also in the middle of something longer, such as
the user and password of `Basic`. Secrets shorter than `MIN_SECRET` characters
are not looked for: they would cut holes into ordinary words.
"""

from __future__ import annotations

import json
import re
import reprlib
import sys
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

MASK = "[redacted]"
MIN_SECRET = 6  # characters
MAX_TEXT = 16_384  # characters of one string that are written
READ_TEXT = 65_536  # characters of one string that are looked at
MARGIN = 4_096  # characters before that end which are not written: a secret may be cut there
MAX_DEPTH = 6  # of nested fields; what lies deeper is written as text
REMEMBERED = 4_096  # strings
WORTH_REMEMBERING = 128  # characters

_NAMES = (
    r"(?:proxy-)?authorization|api[_-]?key|cookies?|passw(?:or)?d|client[_-]?secret"
    r"|secret[_-]?access[_-]?key|(?:access|refresh|id|session|security)[_-]?token"
)
_EDGE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"  # the beginning of a word, in quoted JSON as well
_KEYS = (
    r"sk-[\w*-]{6,}",  # OpenAI, Anthropic, OpenRouter, DeepSeek
    r"aip-[\w-]{16,}",  # this gateway's own: managed keys, and the key for a run
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS access key ids
    r"ABSK[\w+/=]{20,}",  # Bedrock
    r"xox[a-z]-[\w-]{8,}",  # Slack
    r"AIza[\w-]{20,}",  # Google
    r"gsk_\w{16,}",  # Groq
    r"xai-\w{16,}",  # xAI
    r"eyJ[\w-]{16,}(?:\.[\w-]*)*",  # JWT: base64url of a JSON object
)
_SHAPES = re.compile(
    rf"{_EDGE}(?:{'|'.join(_KEYS)})"
    rf"|(?P<scheme>(?i:bearer|basic)\s+)(?!\[redacted)[^\s\"',;\\]{{6,}}"
    rf"|(?P<query>[?&](?i:key|token|sig|signature|x-amz-[a-z-]+)=)(?!\[redacted)[^\s\"'&\\]+"
    rf"|(?P<pair>[(\[]b?[\"'][\w-]{{0,30}}(?i:{_NAMES})[\"']\s*,\s*b?(?P<pair_quote>[\"']))(?:(?!(?P=pair_quote)).){{1,4096}}"
    r"|(?P<cookie>(?i:cookie)\s*:\s*)(?!\[redacted)[^\s\"'][^\r\n\"']*"
    rf"|(?P<name>(?i:{_NAMES})\\*[\"']?\s*[:=]\s*(?:b?(?P<quote>\\*[\"']))?)(?!\[redacted)"
    r"(?(quote)(?:(?!(?P=quote))(?:\\.|.)){1,4096}|(?:[A-Za-z]+[ ]+)?[^\s\"'&,;\\)}\]]{3,4096})",
    re.ASCII | re.DOTALL,
)
_SECRET_NAME = re.compile(rf"(?:{_NAMES})$", re.IGNORECASE)
_HARMLESS = frozenset({bool, type(None), int, float})
_BY_STR = (int, float, Decimal, date, UUID, PurePath)
_repr = reprlib.Repr()  # survives a broken __repr__
_repr.maxother = sys.maxsize  # nothing is cut before it is redacted


class Redactor:
    """Takes secrets out of text and of nested fields."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._literal: re.Pattern[str] | None = None
        self._harmless = _HARMLESS
        self._texts: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> int:
        """Know these secrets as well, from now on. Returns how many were too short to be looked for."""
        given = {secret.strip() for secret in secrets} - {""}
        self._secrets |= {secret for secret in given if len(secret) >= MIN_SECRET}
        spellings = {spelling for secret in self._secrets for spelling in _spellings(secret)}
        if spellings:
            longest_first = sorted(spellings, key=len, reverse=True)
            self._literal = re.compile("|".join(map(re.escape, longest_first)))
        if any(re.fullmatch(r"[\d.eE+-]+", secret) for secret in self._secrets):
            self._harmless = frozenset({bool, type(None)})
        self._texts, self._names = {}, {}
        return sum(len(secret) < MIN_SECRET for secret in given)

    def text(self, text: str) -> str:
        """`text` without secrets, and cut at `MAX_TEXT` characters."""
        texts = self._texts
        known = texts.get(text)
        if known is not None:
            return known
        clean = self._redacted(text)
        if len(text) <= WORTH_REMEMBERING:
            if len(texts) >= REMEMBERED:
                texts.clear()
            texts[text] = clean
        return clean

    def whole(self, text: str) -> str:
        """`text` without secrets, however long it is."""
        if self._literal is not None:
            text = self._literal.sub(MASK, text)
        return _SHAPES.sub(_mask, text)

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Named values without secrets, as JSON knows them. Bytes count as text, other objects as their `repr`."""
        clean: dict[str, Any] = {}
        names, texts = self._names, self._texts
        for name, value in fields.items():
            shown = names.get(name)
            if shown is None:
                shown, secret = self._name(name)
                if secret and value is not None:
                    clean[shown] = MASK
                    continue
            kind = type(value)
            if kind is str:
                known = texts.get(value)
                clean[shown] = self.text(value) if known is None else known
            else:
                clean[shown] = value if kind in self._harmless else self._plain(value, 1)
        return clean

    def _redacted(self, text: str) -> str:
        clean = self.whole(text[:READ_TEXT])
        if len(text) > READ_TEXT:
            clean = clean[:-MARGIN]
        return clean if len(clean) <= MAX_TEXT and len(text) <= READ_TEXT else f"{clean[:MAX_TEXT]}[cut]"

    def _name(self, name: str) -> tuple[str, bool]:
        """A field's name as it may be written, and whether its value may not be."""
        shown = self.text(name)
        if _SECRET_NAME.search(name):
            return shown, True
        if len(self._names) >= REMEMBERED:
            self._names.clear()
        self._names[name] = shown
        return shown, False

    def _plain(self, value: Any, depth: int) -> Any:
        """Any value as JSON knows it."""
        if depth < MAX_DEPTH and isinstance(value, Mapping):
            return dict(self._nested(value, depth))
        if depth < MAX_DEPTH and isinstance(value, (list, tuple, set, frozenset)):
            return list(self._items(value, depth))
        if value is None or isinstance(value, bool):
            return value
        text = _spelled(value)
        shown = self.text(text)
        return value if isinstance(value, (int, float)) and shown == text else shown

    def _nested(self, fields: Mapping[Any, Any], depth: int) -> Iterator[tuple[str, Any]]:
        for name, value in fields.items():
            shown, secret = self._name(_spelled(name))
            yield shown, MASK if secret and value is not None else self._plain(value, depth + 1)

    def _items(self, items: Collection[Any], depth: int) -> Iterator[Any]:
        """The items of a list; a pair may be a header."""
        secret = False
        for item in items:
            yield MASK if secret else self._plain(item, depth + 1)
            secret = len(items) == 2 and isinstance(item, (str, bytes)) and self._name(_spelled(item))[1]


def _spelled(value: Any) -> str:
    """A value that is no container, as text."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode(errors="replace")
    return str(value) if isinstance(value, _BY_STR) else _repr.repr_instance(value, 1)


def _mask(match: re.Match[str]) -> str:
    kept = match[match.lastgroup] if match.lastgroup else ""
    return kept + MASK


def _spellings(secret: str) -> Iterator[str]:
    """The ways in which a secret may stand in a text."""
    yield secret
    raw = secret.encode(errors="surrogateescape")
    for ensure_ascii in (True, False):
        once = json.dumps(secret, ensure_ascii=ensure_ascii)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ensure_ascii)[1:-1]
    yield from (repr(secret)[1:-1], repr(f'"{secret}')[2:-1], repr(raw)[2:-1], repr(b'"' + raw)[3:-1])
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    for before in range(3):
        yield from _base64(raw, before)


def _base64(raw: bytes, before: int) -> Iterator[str]:
    """`raw` in base64 when `before` bytes (modulo 3) precede it: the characters that depend on `raw` alone."""
    first = (0, 2, 3)[before]
    after = (before + len(raw)) * 8 // 6
    text = b64encode(bytes(before) + raw).decode()[first:after]
    yield text
    yield text.replace("+", "-").replace("/", "_")
