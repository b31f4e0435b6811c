"""Behaviours that say no: errors with and without their status, pages, redirects, nothing at all."""

from __future__ import annotations

import time
from email.utils import formatdate

from tests.upstream.answers import right
from tests.upstream.errors import error, error_body, error_event
from tests.upstream.recipe import encode
from tests.upstream.record import Call
from tests.upstream.steps import LAST_CHUNK, Answer, Close, Cut, Send, Steps, deliver, framing, head, place_of

PAGE = b"<html><head><title>502</title></head><body><center><h1>502</h1></center><hr>nginx</body></html>\r\n"


def false_ok(call: Call, status: float = 503) -> Steps:
    """200, but the body (or the first event) is the vendor's error"""
    answer = right(call)
    if answer.streamed:
        return deliver(answer.with_pieces(error_event(call, int(status))))
    return deliver(answer.with_pieces(encode(error_body(call, int(status)))))


def error_after(call: Call, chunks: float = 2, status: float = 503) -> Steps:
    """N events with content, then the vendor's error event, and the stream ends"""
    answer = right(call)
    if not answer.streamed:
        return deliver(error(call, int(status)))
    kept = answer.pieces[: place_of(answer, int(chunks))]
    return deliver(answer.with_pieces(*kept, error_event(call, int(status))))


def error_status(call: Call, status: float = 500) -> Steps:
    """STATUS with the vendor's error body"""
    return deliver(error(call, int(status)))


def leak(call: Call, status: float = 500) -> Steps:
    """STATUS with an error that quotes the request's credentials"""
    held = [call.header(name) for name in ("authorization", "x-api-key", "api-key")]
    return deliver(error(call, int(status), f"Refused credentials: {[value for value in held if value]}"))


def retry_after(call: Call, seconds: float = 1, status: float = 429) -> Steps:
    """429 (or STATUS) with Retry-After: SECONDS"""
    return deliver(error(call, int(status)).with_headers(("Retry-After", f"{seconds:g}")))


def retry_date(call: Call, seconds: float = 2, status: float = 429) -> Steps:
    """429 (or STATUS) with Retry-After: the HTTP date SECONDS from now"""
    date = formatdate(time.time() + seconds, usegmt=True)
    return deliver(error(call, int(status)).with_headers(("Retry-After", date)))


def retry_ms(call: Call, milliseconds: float = 250, status: float = 429) -> Steps:
    """429 (or STATUS) with retry-after-ms: MILLISECONDS, and a larger Retry-After"""
    wait = (("retry-after-ms", f"{milliseconds:g}"), ("Retry-After", f"{int(milliseconds // 1000) + 1}"))
    return deliver(error(call, int(status)).with_headers(*wait))


def quota(call: Call) -> Steps:
    """429 of the kind that no patience helps: the quota is spent"""
    body = error_body(call, 429, "You exceeded your current quota, please check your plan and billing details.")
    body["error"] |= {"type": "insufficient_quota"} | ({} if call.anthropic else {"code": "insufficient_quota"})
    return deliver(error(call, 429).with_pieces(encode(body)))


def html(call: Call, status: float = 200) -> Steps:
    """STATUS with a web page, as a balancer in front of the vendor sends"""
    return deliver(Answer((PAGE,), "text/html", status=int(status)))


def not_json(call: Call) -> Steps:
    """200, application/json, and a body that is cut in the middle of the JSON"""
    body = right(call).body
    return deliver(Answer((body[: len(body) // 2],)))


def empty(call: Call, status: float = 200) -> Steps:
    """STATUS with an empty body"""
    return deliver(Answer((b"",), status=int(status)))


def empty_stream(call: Call) -> Steps:
    """200, an event stream, and no event in it"""
    answer = Answer((), "text/event-stream", streamed=True)
    yield Send(head(answer, framing(answer)) + LAST_CHUNK, "head")


def redirect(call: Call, status: float = 302) -> Steps:
    """STATUS with a Location elsewhere"""
    target = ("Location", "http://127.0.0.1:9/elsewhere")
    return deliver(Answer((b"",), "text/plain", status=int(status), headers=(target,)))


def early(call: Call, status: float = 413) -> Steps:
    """STATUS before the body was read, then a close (only when planned: the model is not known yet)"""
    yield from deliver(error(call, int(status)).with_headers(("Connection", "close")))
    yield Close()


def early_cut(call: Call) -> Steps:
    """a reset before the body was read (only when planned)"""
    yield Cut()
