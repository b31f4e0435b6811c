"""From a reply of the gateway to a response of Flask, and from a request to the gateway's call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any

import gevent
import msgspec
from flask import Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from lib.base import is_run_name
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

RUN_HEADER = "X-Run-ID"
DROPPED = 65_536  # bytes of a body that is too large, at once


class _Choice(msgspec.Struct):
    message: dict[str, Any]


class _Completion(msgspec.Struct):
    choices: list[_Choice]


def forward(path: Path) -> Response:
    """Send the current request where its model leads, and answer with what comes back."""
    observation().record.request_id = observation().request_id
    run = run_id()
    body = _body(path)  # before the watch: while a body is read, its reader notices who leaves
    watch = _watch()
    try:
        call = Call(path, caller(), body, upward(request.headers), watch, observation().record, run=run)
        reply = services().gateway.call(call)
    except BaseException:
        _release(body, watch)
        raise
    if isinstance(reply.body, bytes):
        _release(body, watch)
        return respond(reply)
    response = respond(reply)
    response.call_on_close(lambda: _release(body, watch))
    return response


def complete_chat(body: bytes, credential: str | None = None) -> dict[str, Any]:
    """Ask a model on behalf of the current request; the first choice's message.

    `credential` is a key of the caller's own with the vendor, for this request alone.
    """
    run = run_id()
    with watched() as watch:
        call = Call(path_of(Shape.CHAT), caller(), JsonBody(body), (), watch, observation().record, run=run)
        call.credential = credential
        reply = services().gateway.call(call)
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


@contextmanager
def watched() -> Iterator[ClientWatch | NoWatch]:
    """The client's connection, watched while the current request is answered in one piece."""
    observation().record.request_id = observation().request_id
    watch = _watch()
    try:
        yield watch
    finally:
        watch.close()


def run_id() -> str | None:
    """The run that the current request belongs to, by its header.

    Raises `BadRequest` for a bad one, and for none when the caller's every call must belong to a run.
    """
    given = request.headers.get(RUN_HEADER)
    if given is None:
        if caller().run_required:
            raise BadRequest(f"This key's calls belong to runs: `{RUN_HEADER}` is required.", param=RUN_HEADER)
        return None
    run = given.encode("latin-1", "replace").decode("utf-8", "replace")  # as WSGI decoded it (PEP 3333)
    if not is_run_name(run):
        raise BadRequest(f"`{RUN_HEADER}` must be 1 to 256 printable characters.", param=RUN_HEADER)
    return run


def json_body(most: int | None = None) -> bytes:
    """The body of the current request, of so many bytes at most.

    Raises `UnsupportedMediaType` unless it is said to be JSON, and as `_read`.
    """
    _check_json()
    return _read_up_to(most)


def read_body(seconds: float, most: int) -> bytes:
    """The same of any kind, which must be there so many seconds after the request's start. Raises as `_read`."""
    return _read_up_to(most, seconds)


def respond(reply: Reply) -> Response:
    """The response for a reply. Whoever takes one with an iterable body closes it."""
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


def _body(path: Path) -> JsonBody | Form:
    if path.multipart:
        if _content_type() != "multipart/form-data":
            raise UnsupportedMediaType("The body must be multipart/form-data.")
        return Form(request.headers.get("Content-Type", ""), _read, request.content_length)
    return JsonBody(json_body())


def _read_up_to(most: int | None, seconds: float = inf) -> bytes:
    """The body, of a route that takes less than MAX_BODY_BYTES. A longer one is read to its end all the same, with a
    turn for others after each block: a client that still sends would not hear the answer. Raises as `_read`."""
    if most is None:
        return _read(seconds=seconds)
    if (request.content_length or 0) > most:
        while _read(DROPPED, seconds):
            gevent.sleep(0)
        raise BodyTooLarge
    body = _read(seconds=seconds)
    if len(body) > most:  # in chunks
        raise BodyTooLarge
    return body


def _check_json() -> None:
    kind = _content_type()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType("The body must be application/json.")


def _content_type() -> str:
    """The media type of the body, without its parameters."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _read(size: int = -1, seconds: float = inf) -> bytes:
    """The next bytes of the request's body; all of them by default. `seconds` may bound the time from its start on.

    Raises `SlowRequest`, `DeadlineExceeded`, `ClientGone`, `Draining`, `BadRequest` for broken chunks, `BodyTooLarge`.
    """
    limit = min(seconds, services().settings.request_timeout_seconds)
    left = observation().record.started + limit - monotonic()
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
