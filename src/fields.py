"""The fields of a request, wherever they stand: in the query, in a form with or without files, in a JSON object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from lib.base.errors import BadRequest, UnsupportedMediaType
from lib.net import Does
from src.context import observation
from src.streaming import read_body

Values = dict[str, Sequence[Any]]

MOST_BYTES = 8 * 1024 * 1024  # of a body: all fields at their limits in ASCII, each character in three, and some more
MOST_FIELDS = 1000
MOST_NESTED = 100_000  # arrays and objects in a field of JSON
BYTES = 10  # of a form are decoded while a program's parser takes a character
BLOCK = 65_536  # bytes that are decoded in one step
_TOO_MANY = f"There are more than {MOST_FIELDS} fields"
_BROKEN = "The form in the request body is malformed"


def request_fields(aside: Does, seconds: float) -> Values:
    """The fields of the current request by their names, those of the query before those of the body.

    Text that is no UTF-8 has lone surrogates in its place. `seconds` is how long all may take, from the request's
    start on; a large body is decoded `aside`. Raises `BadRequest`, `UnsupportedMediaType`, and what `read_body` does.
    """
    body = read_body(seconds, MOST_BYTES) if request.method == "POST" else b""
    decode = _decoder(request.mimetype, request.mimetype_params.get("boundary", "").encode()) if body else None
    fields = _urlencoded(request.query_string)
    if decode is None:
        return fields
    return {**aside(lambda: decode(body), len(body) // BYTES, observation().record.started + seconds), **fields}


def _decoder(kind: str, boundary: bytes) -> Callable[[bytes], Values]:
    """What reads a body of this media type. Raises `UnsupportedMediaType`."""
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded
    if kind == "multipart/form-data":
        return lambda body: _gathered(_parts(body, boundary))
    if kind == "application/json" or kind.endswith("+json"):
        return _json
    raise UnsupportedMediaType("The body must be a form or a JSON object.")


def _urlencoded(text: bytes) -> Values:
    pairs = text.split(b"&", MOST_FIELDS)
    if len(pairs) > MOST_FIELDS:
        raise BadRequest(_TOO_MANY)
    parts = (pair.partition(b"=") for pair in pairs if pair)
    return _gathered((_plain(name), _plain(value)) for name, _, value in parts)


def _plain(text: bytes) -> str:
    """A name or a value, decoded block by block: one step for all would keep the interpreter from every other call."""
    spaced = text.replace(b"+", b" ")
    if b"%" not in spaced:
        return spaced.decode("utf-8", "surrogateescape")
    return b"".join(map(unquote_to_bytes, _blocks(spaced))).decode("utf-8", "surrogateescape")


def _blocks(text: bytes) -> Iterator[bytes]:
    """The text in blocks that end between escapes."""
    begin = 0
    while begin < len(text):
        cut = text.rfind(b"%", begin + BLOCK - 2, begin + BLOCK)  # an escape may begin here and end beyond
        end = begin + BLOCK if cut < 0 else cut
        yield text[begin:end]
        begin = end


def _parts(body: bytes, boundary: bytes) -> Iterable[tuple[str, str]]:
    """The parts of a form, files as the text that they hold."""
    if not boundary:
        raise BadRequest(_BROKEN)
    decoder = MultipartDecoder(boundary, max_form_memory_size=None, max_parts=MOST_FIELDS)
    try:
        name, data = "", bytearray()
        for event in _events(decoder, body):
            if isinstance(event, Field | File):
                name, data = event.name, bytearray()
            elif isinstance(event, Data):
                data += event.data
                if not event.more_data:
                    yield name, data.decode("utf-8", "surrogateescape")
    except RequestEntityTooLarge:
        raise BadRequest(_TOO_MANY) from None
    except ValueError:
        raise BadRequest(_BROKEN) from None


def _events(decoder: MultipartDecoder, body: bytes) -> Iterator[Event]:
    """What is in a form, block by block as well. Raises `ValueError` when it is broken."""
    for begin in range(0, len(body), BLOCK):
        decoder.receive_data(body[begin : begin + BLOCK])
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            yield event
    decoder.receive_data(None)
    while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
        yield event


def _json(body: bytes) -> Values:
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        if len(fields) > MOST_FIELDS:
            raise BadRequest(_TOO_MANY)
        raw = {name: bytes(value) for name, value in fields.items()}
        found = {name: msgspec.json.decode(value) for name, value in raw.items() if not _is_tangled(value)}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body must be a JSON object") from None
    if len(found) < len(raw):
        raise BadRequest(f"A field holds more than {MOST_NESTED} arrays and objects")
    return {name: [value] for name, value in found.items() if value is not None}


def _is_tangled(value: bytes) -> bool:
    """Whether it would take long to make: a million arrays take a second."""
    return not value.startswith(b'"') and value.count(b"[") + value.count(b"{") > MOST_NESTED


def _gathered(pairs: Iterable[tuple[str, Any]]) -> Values:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return dict(found)
