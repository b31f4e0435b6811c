"""Errors as each dialect writes them, whole and inside a stream.

Sources: Anthropic API reference, "Errors" (types by status, error shape, error
events in streams). OpenAI API reference, "Error codes" and "Streaming events"
(`error`); its `type` names are not documented as a list, so the ones that its
API sends are used: every 4xx is an `invalid_request_error` and its `code` says
more, except 429; every 5xx is a `server_error`. The SDKs go by the status.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lib.wire.paths import Dialect, Shape
from lib.wire.sse import encode

_ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def openai_type(status: int) -> str:
    """The OpenAI error type for an HTTP status."""
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"


def anthropic_type(status: int) -> str:
    """The Anthropic error type for an HTTP status."""
    return _ANTHROPIC_TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")


def openai_error(message: str, kind: str, code: str | None, param: str | None) -> dict[str, Any]:
    """The error body of the OpenAI dialect."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def anthropic_error(message: str, kind: str, request_id: str | None = None) -> dict[str, Any]:
    """The error body of the Anthropic dialect."""
    body: dict[str, Any] = {"type": "error", "error": {"type": kind, "message": message}}
    if request_id:
        body["request_id"] = request_id
    return body


def error_event(
    dialect: Dialect,
    shape: Shape,
    status: int,
    message: str,
    code: str | None = None,
    param: str | None = None,
) -> bytes:
    """The event that ends a stream with an error. Nothing follows it, no `[DONE]` either.

    OpenAI: a `data` line with an `error` object, which the SDKs raise. The
    Responses API has an `error` event of its own; its `sequence_number` is 0,
    since whoever writes it has not counted the events before it.
    """
    if dialect is Dialect.ANTHROPIC:
        return encode(msgspec.json.encode(anthropic_error(message, anthropic_type(status))), "error")
    if shape is Shape.RESPONSE:
        body = {"type": "error", "code": code, "message": message, "param": param, "sequence_number": 0}
        return encode(msgspec.json.encode(body), "error")
    return encode(msgspec.json.encode(openai_error(message, openai_type(status), code, param)))
