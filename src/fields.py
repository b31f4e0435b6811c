"""The fields of a request, wherever they stand: in the query, in a form with or without files, in a JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from lib.base.errors import BadRequest, UnsupportedMediaType
from src.streaming import read_body

Values = dict[str, Sequence[Any]]

MOST_FIELDS = 1000
_BROKEN = "The form in the request body is malformed"


def request_fields(seconds: float) -> Values:
    """The fields of the current request by their names, those of the query before those of the body.

    Text that is no UTF-8 has lone surrogates in its place. `seconds` is how long the body may take, from the request's
    start on. Raises `BadRequest`, `UnsupportedMediaType`, and what `read_body` does.
    """
    body = read_body(seconds) if request.method == "POST" else b""
    return {**_body_fields(body), **_urlencoded(request.query_string)}


def _body_fields(body: bytes) -> Values:
    kind = request.mimetype
    if not body:
        return {}
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(body)
    if kind == "multipart/form-data":
        return _gathered(_parts(body))
    if kind == "application/json" or kind.endswith("+json"):
        return _json(body)
    raise UnsupportedMediaType("The body must be a form or a JSON object.")


def _urlencoded(text: bytes) -> Values:
    try:
        decoded = text.decode("utf-8", "surrogateescape")
        pairs = parse_qsl(decoded, keep_blank_values=True, errors="surrogateescape", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadRequest(f"There are more than {MOST_FIELDS} fields") from None
    return _gathered(pairs)


def _parts(body: bytes) -> Iterable[tuple[str, str]]:
    """The parts of a form, files as the text that they hold."""
    boundary = request.mimetype_params.get("boundary", "").encode()
    if not boundary:
        raise BadRequest(_BROKEN)
    decoder = MultipartDecoder(boundary, max_form_memory_size=None, max_parts=MOST_FIELDS)
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        name, data = "", b""
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, Field | File):
                name, data = event.name, b""
            elif isinstance(event, Data):
                data += event.data
                if not event.more_data:
                    yield name, data.decode("utf-8", "surrogateescape")
    except RequestEntityTooLarge:
        raise BadRequest(f"There are more than {MOST_FIELDS} fields") from None
    except ValueError:
        raise BadRequest(_BROKEN) from None


def _json(body: bytes) -> Values:
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body must be a JSON object") from None
    return {name: [value] for name, value in found.items() if value is not None}


def _gathered(pairs: Iterable[tuple[str, Any]]) -> Values:
    found: dict[str, list[Any]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return dict(found)
