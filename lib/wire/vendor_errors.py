"""Reading a vendor's error, whatever its shape."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from lib.base.errors import GatewayError, VendorError, VendorOverloaded
from lib.wire.usage import UNREADABLE

LONGEST = 2_000
"""How many characters of a vendor's words are kept."""

_OVERLOADED = frozenset(
    {
        "429",
        "503",
        "529",
        "engine_overloaded",
        "engine_overloaded_error",
        "overloaded",
        "overloaded_error",
        "rate_limit_error",
        "rate_limit_exceeded",
        "server_overloaded",
        "service_unavailable",
        "service_unavailable_error",
        "slow_down",
    }
)


class VendorMessage(NamedTuple):
    """A vendor's error in its own words. `message` is empty when it said nothing readable."""

    type: str | None
    code: str | None
    message: str
    param: str | None


def read_error(body: bytes) -> VendorMessage:
    """Read an error body. Total: any bytes give an answer.

    Known shapes: `{"error": {...}}` (OpenAI, Anthropic, Azure, OpenRouter), the
    same in a list (Gemini), `{"error": "text"}`, `{"detail": ...}` (FastAPI,
    its list of validation errors included), `{"message": "text"}` (AWS, vLLM,
    Mistral), and plain text that is no web page.
    """
    try:
        value = msgspec.json.decode(body)
    except UNREADABLE:
        text = body[: 4 * LONGEST].decode("utf-8", "replace").strip()
        return VendorMessage(None, None, "" if text.startswith("<") else text[:LONGEST], None)
    return _read(value)


def stream_error(data: bytes) -> GatewayError:
    """The error that an error event inside a stream stands for; the vendor's words are its `detail`."""
    said = read_error(data)
    detail = ": ".join(part for part in (said.type, said.code, said.message) if part)
    kind = VendorOverloaded if {said.type, said.code} & _OVERLOADED else VendorError
    return kind(detail=detail[:LONGEST])


def _read(value: Any) -> VendorMessage:
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return VendorMessage(None, None, value[:LONGEST] if isinstance(value, str) else "", None)
    error = value.get("error")
    if isinstance(error, dict):
        return _from_object(error)
    if isinstance(error, str) and isinstance(value.get("message"), str):
        return _from_object({"type": error, **value})
    if isinstance(error, str):
        return VendorMessage(None, None, error[:LONGEST], None)
    if "detail" in value:
        return _from_detail(value["detail"])
    return _from_object(value)


def _from_object(error: dict[str, Any]) -> VendorMessage:
    message = error.get("message") or error.get("Message")
    if isinstance(message, dict):
        return _from_detail(message.get("detail"))
    return VendorMessage(
        _word(error.get("type")) or _word(error.get("status")),
        _word(error.get("code")),
        message[:LONGEST] if isinstance(message, str) else "",
        _word(error.get("param")),
    )


def _from_detail(detail: Any) -> VendorMessage:
    """FastAPI's `detail`: a text, an object, or a list of `{loc, msg, type}`."""
    if isinstance(detail, str):
        return VendorMessage(None, None, detail[:LONGEST], None)
    first = detail[0] if isinstance(detail, list) and detail else detail
    if not isinstance(first, dict):
        return VendorMessage(None, None, "", None)
    if "msg" not in first:
        return _from_object(first)
    where = first.get("loc")
    steps = [str(step) for step in where if step != "body"] if isinstance(where, list) else []
    message = first["msg"] if isinstance(first["msg"], str) else ""
    return VendorMessage(_word(first.get("type")), None, message[:LONGEST], ".".join(steps)[:LONGEST] or None)


def _word(value: Any) -> str | None:
    """A short string; a number stands for itself."""
    if type(value) is int:
        return str(value)
    return value[:200] if isinstance(value, str) and value else None
