"""Reading a vendor's answer: what is not of its dialect is the vendor's fault, a 502."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.base.errors import VendorProtocolError
from lib.wire.reader import Json
from lib.wire.usage import UNREADABLE
from lib.wire.vendor_errors import stream_error


def reject(body: Json) -> None:
    """Raise the error that a body reports under status 200 or in a stream, beside `choices` too (OpenRouter)."""
    if body.get("error") or body.get("type") == "error":
        raise stream_error(msgspec.json.encode(body))


def decode(data: bytes) -> Json:
    """The JSON object in an event. Raises `VendorProtocolError`."""
    try:
        value = msgspec.json.decode(data)
    except UNREADABLE as error:
        raise VendorProtocolError(detail=f"an event that is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise VendorProtocolError(detail="an event that is not a JSON object")
    return value


def objects(value: Any, name: str) -> list[Json]:
    """A list of objects. Raises `VendorProtocolError`."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise VendorProtocolError(detail=f"`{name}` is not a list of objects")
    return value


def obj(value: Any) -> Json:
    """An object; anything else counts as an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """A string; anything else counts as an empty one."""
    return value if isinstance(value, str) else ""


def word(value: Any, name: str) -> str:
    """A string that must be there. Raises `VendorProtocolError`."""
    if not isinstance(value, str) or not value:
        raise VendorProtocolError(detail=f"`{name}` is not a string")
    return value


def arguments_object(arguments: str, unfinished: bool) -> Json:
    """The arguments of a call, decoded. Raises `VendorProtocolError`.

    An answer that was cut at its token limit (`unfinished`) may hold half of
    them: nothing is made of those, and the stop reason tells the client.
    """
    if not arguments.strip():
        return {}
    try:
        value = msgspec.json.decode(arguments)
    except UNREADABLE:
        value = None
    if isinstance(value, dict):
        return value
    if unfinished:
        return {}
    raise VendorProtocolError(detail="arguments of a tool call that are not a JSON object")
