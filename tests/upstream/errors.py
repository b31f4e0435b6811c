"""Each vendor's errors: as answers, and as the event that ends a stream gone wrong.

Sources: OpenAI, "Error codes"; Anthropic, "Errors"; RFC 9110 section 10.2.3 (Retry-After).
"""

from __future__ import annotations

from typing import Any

from tests.upstream import anthropic_messages, openai_chat
from tests.upstream.recipe import encode, mark, sse
from tests.upstream.record import Call
from tests.upstream.steps import Answer

# status: (OpenAI's type, OpenAI's code, Anthropic's type, words)
KINDS: dict[int, tuple[str, str | None, str, str]] = {
    400: ("invalid_request_error", "invalid_value", "invalid_request_error", "Invalid value for 'temperature'."),
    401: ("invalid_request_error", "invalid_api_key", "authentication_error", "Incorrect API key provided."),
    402: ("insufficient_quota", "billing_hard_limit_reached", "billing_error", "Your account has no credit left."),
    403: ("invalid_request_error", "unsupported_country", "permission_error", "This is not permitted here."),
    404: ("invalid_request_error", "model_not_found", "not_found_error", "The model does not exist."),
    408: ("invalid_request_error", "request_timeout", "timeout_error", "The request took too long to arrive."),
    409: ("invalid_request_error", "conflict", "invalid_request_error", "The object is being changed by another call."),
    413: ("invalid_request_error", "request_too_large", "request_too_large", "The request exceeds the maximum size."),
    422: ("invalid_request_error", "unprocessable", "invalid_request_error", "The request cannot be processed."),
    429: ("requests", "rate_limit_exceeded", "rate_limit_error", "Rate limit reached for requests per minute."),
    500: ("server_error", None, "api_error", "The server had an error while processing your request."),
    502: ("server_error", None, "api_error", "Bad gateway."),
    503: ("server_error", "service_unavailable", "overloaded_error", "The engine is currently overloaded."),
    504: ("server_error", None, "timeout_error", "Gateway timeout."),
    529: ("server_error", "overloaded", "overloaded_error", "Overloaded"),
}


def error_body(call: Call, status: int, words: str | None = None) -> dict[str, Any]:
    """The body of an error in the dialect of the call. Unlisted statuses look like 500 or 400."""
    kind, code, anthropic_kind, usual = KINDS.get(status, KINDS[500 if status >= 500 else 400])
    message = words or usual
    if call.anthropic:
        error = {"type": anthropic_kind, "message": message}
        return {"type": "error", "error": error, "request_id": mark(call, "req_")}
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error(call: Call, status: int, words: str | None = None) -> Answer:
    """An error in the dialect of the call."""
    vendor = anthropic_messages if call.anthropic else openai_chat
    return Answer((encode(error_body(call, status, words)),), status=status, headers=vendor.headers(call))


def error_event(call: Call, status: int = 503) -> bytes:
    """The event by which a stream says that it failed, in the dialect of the call."""
    body = error_body(call, status)
    if call.anthropic:
        return sse(body, "error")
    if call.route.endswith("/responses"):
        failed = {"type": "error", "code": body["error"]["code"], "message": body["error"]["message"], "param": None}
        return sse(failed | {"sequence_number": 9}, "error")
    return sse(body)
