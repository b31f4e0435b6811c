"""How the echo says no: in the error shape of the dialect it was asked in."""

from __future__ import annotations

import msgspec

from lib.wire import Dialect, Path, anthropic_error, anthropic_type, error_event, openai_error, openai_type

# The codes that OpenAI's API sends with these statuses; with the others it sends null.
_OPENAI_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


class Refusal(Exception):
    """A request that the echo answers with a 400. `param` names the field at fault.

    Not one of `lib.base.errors`: a vendor's refusal is an answer, and whoever
    hands in a body as an iterable may raise those while it is read.
    """

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


def openai_code(status: int) -> str | None:
    """The code that goes with a status in the OpenAI dialect."""
    return _OPENAI_CODES.get(status)


def error_body(dialect: Dialect, status: int, message: str, param: str | None, request_id: str) -> bytes:
    """A whole error answer. The Anthropic dialect has no `param`; its message names the field."""
    if dialect is Dialect.ANTHROPIC:
        return msgspec.json.encode(anthropic_error(message, anthropic_type(status), request_id))
    return msgspec.json.encode(openai_error(message, openai_type(status), openai_code(status), param))


def error_in_stream(path: Path, status: int, message: str) -> bytes:
    """The event that ends a stream of `path` with an error."""
    code = openai_code(status) if path.dialect is Dialect.OPENAI else None
    return error_event(path.dialect, path.shape, status, message, code)


def asked_to_fail(status: int) -> str:
    """The words of a failure that the caller ordered."""
    return f"The echo was asked to fail with status {status}."
