"""Calls by the HTTP client, as a provider makes them."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import msgspec

from lib.base.errors import AIProxyError, ClientGone
from lib.net import Exchange, HttpClient, HttpRequest, Origin

PATIENCE = 30.0  # seconds


def request(url: str, body: bytes | Iterable[bytes] | None = None, **fields: Any) -> HttpRequest:
    """A POST for a chat completion at `url`."""
    if body is None:
        body = msgspec.json.encode({"model": fields.pop("model", "m"), "stream": fields.pop("stream", False)})
    headers = [("content-type", "application/json"), *fields.pop("headers", ())]
    return HttpRequest(Origin.parse(url), fields.pop("target", "/v1/chat/completions"), headers, body, **fields)


@contextmanager
def started(client: HttpClient, asked: HttpRequest) -> Iterator[Exchange]:
    """An exchange whose head has come; closed at the end."""
    exchange = client.exchange(asked)
    try:
        assert exchange.start(PATIENCE)
        yield exchange
    finally:
        exchange.close()


def rest(exchange: Exchange) -> list[bytes]:
    """The blocks that are still to come, to the end."""
    blocks = []
    while block := exchange.read(PATIENCE):
        blocks.append(block)
    assert block == b"", "silent for too long"
    return blocks


def answer(client: HttpClient, asked: HttpRequest) -> tuple[int, bytes]:
    """Status and body of one call."""
    with started(client, asked) as exchange:
        return exchange.status, b"".join(rest(exchange))


def failure(client: HttpClient, asked: HttpRequest) -> AIProxyError:
    """The error in which a call ends, wherever it does."""
    try:
        answer(client, asked)
    except AIProxyError as error:
        return error
    raise AssertionError("it did not fail")


def later(exchange: Exchange, act: str = "start") -> gevent.Greenlet[[], Any]:
    """`exchange.start` (or read) in a greenlet, which has begun to wait when this returns."""
    waiting = gevent.spawn(_quietly, getattr(exchange, act))
    gevent.sleep(0.01)
    return waiting


@contextmanager
def nothing_left_open() -> Iterator[None]:
    """Fails when something was left to the garbage collector to close."""
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(each.message) for each in noticed if each.category is ResourceWarning] == []


def _quietly(act: Callable[[float], Any]) -> Any:
    try:
        return act(PATIENCE)
    except ClientGone as gone:
        return gone


def left(waiting: gevent.Greenlet[[], Any]) -> None:
    """Fails unless the one who waits gets `ClientGone` now."""
    assert isinstance(waiting.get(timeout=PATIENCE), ClientGone)
