"""From a reply of the gateway to a response of Flask, and from a request to the gateway's call."""

from __future__ import annotations

from time import monotonic
from typing import Any

import msgspec
from flask import Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from lib.base.errors import (
    BadRequest,
    BodyTooLarge,
    ClientGone,
    DeadlineExceeded,
    Draining,
    SlowRequest,
    UnsupportedMediaType,
    VendorProtocolError,
    VendorRefused,
)
from lib.gateway import Call, Reply, upward
from lib.net import ClientWatch, NoWatch, Wait, has_left
from lib.wire import Form, JsonBody, Path, Shape, path_of, read_error
from src.context import caller, observation, services


class _Choice(msgspec.Struct):
    message: dict[str, Any]


class _Completion(msgspec.Struct):
    choices: list[_Choice]


def forward(path: Path) -> Response:
    """Send the current request where its model leads, and answer with what comes back."""
    observation().record.request_id = observation().request_id
    body = _body(path)  # before the watch: while a body is read, its reader notices who leaves
    watch = _watch()
    try:
        call = Call(path, caller(), body, upward(request.headers), watch, observation().record)
        reply = services().gateway.call(call)
    except BaseException:
        _release(body, watch)
        raise
    if isinstance(reply.body, bytes):
        _release(body, watch)
        return _response(reply)
    response = _response(reply)
    response.call_on_close(lambda: _release(body, watch))
    return response


def complete_chat(body: bytes) -> dict[str, Any]:
    """Ask a model on behalf of the current request; the first choice's message."""
    observation().record.request_id = observation().request_id
    watch = _watch()
    try:
        call = Call(path_of(Shape.CHAT), caller(), JsonBody(body), (), watch, observation().record)
        reply = services().gateway.call(call)
    finally:
        watch.close()
    if not isinstance(reply.body, bytes):
        reply.body.close()
        raise VendorProtocolError(detail="a stream that nobody asked for")
    if reply.status != 200:
        said, provider = read_error(reply.body), call.record.provider or ""
        raise VendorRefused(said.message, status=reply.status, code=said.code, param=said.param, provider=provider)
    try:
        return msgspec.json.decode(reply.body, type=_Completion).choices[0].message
    except (msgspec.DecodeError, IndexError):
        raise VendorProtocolError(detail="not a chat completion") from None


def _response(reply: Reply) -> Response:
    response = Response(reply.body, reply.status)
    response.headers.clear()
    for name, value in reply.headers:
        response.headers.add(name, value)
    if isinstance(reply.body, bytes):
        response.headers["content-length"] = str(len(reply.body))
    return response


def _watch() -> ClientWatch | NoWatch:
    """The client's connection, as far as the server shows it."""
    sock = request.environ.get("gunicorn.socket")
    return NoWatch() if sock is None else ClientWatch(sock, services().lifecycle)


def json_object(*, or_nothing: bool = False) -> dict[str, Any]:
    """The body of the current request, a JSON object; an empty one for no body, if that is allowed.

    Raises `BadRequest`, `UnsupportedMediaType`, and what `_read` does.
    """
    raw = _read()
    if or_nothing and not raw:
        return {}
    _require_json()
    return JsonBody(raw).decode()


def _body(path: Path) -> JsonBody | Form:
    content_type = request.headers.get("Content-Type", "")
    if path.multipart:
        if _kind(content_type) != "multipart/form-data":
            raise UnsupportedMediaType("The body must be multipart/form-data.")
        return Form(content_type, _read, request.content_length)
    _require_json()
    return JsonBody(_read())


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _require_json() -> None:
    kind = _kind(request.headers.get("Content-Type", ""))
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("The body must be application/json.")


def _read(size: int = -1) -> bytes:
    """The next bytes of the request's body; all of them by default.

    Raises `SlowRequest`, `DeadlineExceeded`, `ClientGone`, `Draining`, `BadRequest` for broken chunks, `BodyTooLarge`.
    """
    left = observation().record.started + services().settings.request_timeout_seconds - monotonic()
    try:
        late = DeadlineExceeded(detail="reading the request")  # though each byte may be in time
        with Wait(left, late, services().lifecycle, Draining()):
            data: bytes = request.stream.read(size)
            if size < 0 and request.content_length is None:
                request.stream.read(1)  # a body in chunks that ends at the limit, or beyond: only the next read tells
    except ClientDisconnected:  # or stood still for CLIENT_TIMEOUT_SECONDS
        sock = request.environ.get("gunicorn.socket")
        observation().record.gone = sock is not None and has_left(sock)
        raise (ClientGone if observation().record.gone else SlowRequest) from None
    except RequestEntityTooLarge:
        raise BodyTooLarge from None
    except ParseException:
        raise BadRequest("The chunks of the request body are broken.") from None
    return data


def _release(body: JsonBody | Form, watch: ClientWatch | NoWatch) -> None:
    watch.close()
    if isinstance(body, Form):
        body.close()
