"""The only place where an error becomes an HTTP body, one renderer for each API family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil

import msgspec
from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as NotThisMethod

from lib.base.errors import (
    AddressNotAllowed,
    AIProxyError,
    BadRequest,
    BodyTooLarge,
    CallerError,
    InvalidFields,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
    UnsupportedMediaType,
)
from lib.telemetry import get_logger
from lib.wire import anthropic_error, anthropic_type, openai_error, openai_type
from src.context import observation

log = get_logger("aiproxy.web")
Family = Callable[[AIProxyError], tuple[bytes, str]]

_FRAMEWORK: dict[int, type[CallerError]] = {
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
    415: UnsupportedMediaType,
}


def openai_family(error: AIProxyError) -> tuple[bytes, str]:
    """`{"error": {message, type, param, code}}`, as OpenAI's SDKs read it."""
    body = openai_error(error.message, openai_type(error.status), error.code, error.param)
    return msgspec.json.encode(body), "application/json"


def anthropic_family(error: AIProxyError) -> tuple[bytes, str]:
    """`{"type": "error", "error": {type, message}}`, as Anthropic's SDKs read it."""
    body = anthropic_error(error.message, anthropic_type(error.status), observation().request_id)
    return msgspec.json.encode(body), "application/json"


def plain_family(error: AIProxyError) -> tuple[bytes, str]:
    """The bare message, as aiproxy's users read it; a 401 is JSON there."""
    if error.status == 401:
        return b'{"error":"Unauthorized"}\n', "application/json"
    return error.message.encode(), "text/plain; charset=utf-8"


def evaluation_family(error: AIProxyError) -> tuple[bytes, str]:
    """`{"detail": ...}`, a text or FastAPI's list of faults, as agents of the inference gateway read it."""
    return _detail(error, error.message)


def guide_family(error: AIProxyError) -> tuple[bytes, str]:
    """The same, as agents of the migration guide read it: of what is not their fault they learn nothing."""
    if error.status < 500:
        return evaluation_family(error)
    what = "embedding" if request.path.endswith("embedding") else "inference"
    return _detail(error, f"Failed to get {what} due to internal server error. Please try again later.")


def _detail(error: AIProxyError, text: str) -> tuple[bytes, str]:
    faults = error.faults if isinstance(error, InvalidFields) else ()
    listed = [{"loc": fault.loc, "msg": fault.msg, "type": fault.type} for fault in faults]
    detail = listed or _AGENTS_WORDS.get(type(error), text)
    return msgspec.json.encode({"detail": detail}), "application/json"


_AGENTS_WORDS: Mapping[type[AIProxyError], str] = {
    Unauthorized: "Invalid API key",
    AddressNotAllowed: "IP not allowed",
}

FAMILIES: dict[str, Family] = {}
"""The renderer of each blueprint, filled in where blueprints are registered."""


def install(app: Flask) -> None:
    """Render every failure: ours, the framework's, and those that nobody foresaw."""
    app.register_error_handler(AIProxyError, _ours)
    app.register_error_handler(HTTPException, _frameworks)
    app.register_error_handler(Exception, _unforeseen)


def render(error: AIProxyError) -> Response:
    """The response for an error, in the dialect of whoever called."""
    observation().record.failed(error)
    body, content_type = _family()(error)
    response = Response(body, error.status, content_type=content_type)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(ceil(error.retry_after))
    for name, value in error.headers:
        response.headers[name] = value
    return response


def _family() -> Family:
    if "anthropic-version" in request.headers or request.path.startswith("/v1/messages"):
        return anthropic_family
    return FAMILIES.get(request.blueprint or _blueprint_for_other_methods(), openai_family)


def _blueprint_for_other_methods() -> str:
    """The blueprint of a path that is served, but not by this method: its 405 looks like its other errors."""
    failed, adapter = request.routing_exception, current_app.create_url_adapter(request)
    if adapter is None or not isinstance(failed, NotThisMethod) or not failed.valid_methods:
        return ""
    endpoint, _arguments = adapter.match(method=next(iter(failed.valid_methods)))
    return str(endpoint).rpartition(".")[0]


def _ours(error: AIProxyError) -> Response:
    if error.detail:
        log.info("request failed", request_id=observation().request_id, code=error.code, detail=error.detail)
    return render(error)


def _frameworks(error: HTTPException) -> Response:
    status = error.code or 500
    if status >= 500:
        return _unforeseen(error)
    known = _FRAMEWORK.get(status)
    response = render(known() if known else _as_bad_request(status))
    if "Allow" in (allowed := dict(error.get_headers())):
        response.headers["Allow"] = allowed["Allow"]
    return response


def _as_bad_request(status: int) -> AIProxyError:
    error = BadRequest()
    error.status = status
    return error


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen failure", request_id=observation().request_id, exc_info=error)
    return render(AIProxyError())
