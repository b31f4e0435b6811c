"""Waiting for a vendor: in slices of time, and broken off by another greenlet in every phase of a call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import gevent
import gevent.event
import pytest

from lib.base.errors import ClientGone
from lib.net import HttpClient
from lib.net.connections import Connections
from tests.lib.net.calls import PATIENCE, answer, later, left, nothing_left_open, request, rest, started
from tests.upstream import Behaviour, Hang, Send, Steps, Upstream, Wait
from tests.upstream import Call as Seen

LONG = 4.0  # seconds; far more than any of these tests should take


# ---- slices ----


@pytest.mark.parametrize("patience", [0.0, 0.01])
def test_a_silent_vendor_is_waited_for_in_slices(client: HttpClient, upstream: Upstream, patience: float) -> None:
    upstream.plan("slow-0.1")
    exchange = client.exchange(request(upstream.url))
    slices = 0
    while not exchange.start(patience):
        gevent.sleep(0)
        slices += 1
    assert slices > 1
    assert (exchange.status, len(rest(exchange))) == (200, 1)
    exchange.close()
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("patience", [0.0, 0.01])
def test_a_pause_within_the_body_is_no_end(client: HttpClient, upstream: Upstream, patience: float) -> None:
    upstream.plan("slow-middle-0.1")
    blocks: list[bytes | None] = []
    with started(client, request(upstream.url, stream=True)) as exchange:
        while (block := exchange.read(patience)) != b"":
            blocks.append(block)
            gevent.sleep(0)
    assert None in blocks
    assert b"".join(filter(None, blocks)) == bytes(upstream.calls[0].payload)


def trickle(data: bytes, after: bytes = b"") -> Behaviour:
    """`after` at once, then `data` byte by byte, much more often than a test's patience."""

    def play(call: Seen) -> Steps:
        if after:
            yield Send(after)
        for at in range(len(data)):
            yield Wait(0.002)
            yield Send(data[at : at + 1])
        yield Hang()

    return Behaviour("trickle", play)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "behaviour",
    [trickle(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 4000), trickle(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)],
    ids=["a header", "interim answers"],
)
def test_a_trickle_does_not_prolong_the_wait_for_the_head(
    client: HttpClient, upstream: Upstream, behaviour: Behaviour
) -> None:
    upstream.plan(behaviour)
    exchange = client.exchange(request(upstream.url))
    begin = monotonic()
    assert not exchange.start(0.05)
    assert monotonic() - begin < LONG
    exchange.close()


@pytest.mark.parametrize(
    "data",
    [b"5;" + b"a" * 2000, b"0\r\n" + b"x-trailer: a\r\n" * 200],
    ids=["a chunk's extension", "trailers"],
)
def test_a_trickle_of_framing_does_not_prolong_the_wait_for_content(
    client: HttpClient, upstream: Upstream, data: bytes
) -> None:
    upstream.plan(trickle(data, CHUNKED))
    with started(client, request(upstream.url)) as exchange:
        begin = monotonic()
        assert exchange.read(0.05) is None
        assert monotonic() - begin < LONG


# ---- breaking off ----


def test_breaking_off_while_waiting_for_the_head(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("silent")
    exchange = client.exchange(request(upstream.url))
    with nothing_left_open():
        waiting = later(exchange)
        upstream.wait(lambda upstream: upstream.seen)
        exchange.abort()
        left(waiting)
        exchange.close()
    upstream.wait(lambda upstream: upstream.cancelled)


@pytest.mark.parametrize("behaviour", ["silent-head", "silent-stream-2", "silent-half-2"])
def test_breaking_off_within_the_body(client: HttpClient, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour, "ok")
    with started(client, request(upstream.url, stream=True)) as exchange:
        while exchange.read(0.05) is not None:
            pass
        waiting = later(exchange, "read")
        exchange.abort()
        left(waiting)
    upstream.wait(lambda upstream: upstream.cancelled)
    answer(client, request(upstream.url))
    assert [call.connection for call in upstream.calls] == [1, 2]


def test_breaking_off_while_connecting(client: HttpClient, upstream: Upstream) -> None:
    exchange = client.exchange(request(upstream.blackhole, connect_timeout=60.0))
    with nothing_left_open():
        waiting = later(exchange)
        exchange.abort()
        left(waiting)
        exchange.close()


def test_breaking_off_while_a_name_is_looked_up(
    client: HttpClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = threading.Event()
    monkeypatch.setattr("gevent.socket.getaddrinfo", lambda *_: gevent.get_hub().threadpool.apply(found.wait))
    exchange = client.exchange(request("http://slow.example", connect_timeout=60.0))
    waiting = later(exchange)
    exchange.abort()
    left(waiting)
    found.set()
    exchange.close()


def test_breaking_off_while_sending(client: HttpClient, upstream: Upstream) -> None:
    exchange = client.exchange(request(upstream.mute, bytes(64 << 20)))
    with nothing_left_open():
        waiting = later(exchange)
        exchange.abort()
        left(waiting)
        exchange.close()


def test_breaking_off_while_the_body_is_made(client: HttpClient, upstream: Upstream) -> None:
    going_on = gevent.event.Event()

    def body() -> Iterator[bytes]:
        yield b"{"
        going_on.wait()
        yield b"}" * 100_000

    exchange = client.exchange(request(upstream.url, body()))
    waiting = later(exchange)
    upstream.wait(lambda upstream: upstream.calls)
    exchange.abort()
    going_on.set()
    left(waiting)
    exchange.close()
    upstream.wait(lambda upstream: upstream.cancelled)


def test_breaking_off_before_it_began(client: HttpClient, upstream: Upstream) -> None:
    exchange = client.exchange(request(upstream.url))
    exchange.abort()
    with pytest.raises(ClientGone):
        exchange.start(PATIENCE)
    exchange.close()
    assert (upstream.calls, upstream.connections) == ([], 0)


def test_breaking_off_after_the_end_changes_nothing(client: HttpClient, upstream: Upstream) -> None:
    with started(client, request(upstream.url)) as exchange:
        rest(exchange)
    exchange.abort()
    exchange.close()
    answer(client, request(upstream.url))
    assert {call.connection for call in upstream.calls} == {1}


def test_breaking_off_at_the_moment_the_connection_is_there(
    client: HttpClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The greenlet that connected has gone on by the time it could be interrupted."""
    exchange = client.exchange(request(upstream.url))
    connect = Connections.open

    def abort_at_the_end(*arguments: Any) -> Any:
        sock = connect(*arguments)
        exchange.abort()
        return sock

    monkeypatch.setattr(Connections, "open", abort_at_the_end)
    with pytest.raises(ClientGone):
        exchange.start(PATIENCE)
    gevent.sleep(0)
    exchange.close()
    monkeypatch.undo()
    answer(client, request(upstream.url))
    upstream.wait(lambda upstream: upstream.connections == 1)
    assert [call.connection for call in upstream.calls] == [2]


def test_a_call_may_be_broken_off_twice_and_closed_twice(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("silent")
    exchange = client.exchange(request(upstream.url))
    assert not exchange.start(0.01)
    for _ in range(2):
        exchange.abort()
        exchange.close()
    upstream.wait(lambda upstream: upstream.cancelled)
