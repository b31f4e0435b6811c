"""Noticing that a client leaves, over real sockets: at once, within a pause, and behind data that nobody reads."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from time import monotonic

import gevent
import gevent.socket
import pytest
from gevent.event import Event

from lib.net import ClientWatch, NoWatch, has_left

LONG = 4.0  # seconds; far more than any of these tests should take
GLANCE = 0.03  # what the tests make of GLANCE_SECONDS
SOON = 4 * GLANCE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.net.client_watch.GLANCE_SECONDS", GLANCE)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, gevent.socket.socket]]:
    """A client's end and the server's, which is gevent's and has a time-out, as the worker's are."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    accepted, _ = listener.accept()
    server = gevent.socket.socket(fileno=accepted.detach())
    server.settimeout(120.0)
    yield client, server
    for each in (client, server, listener):
        each.close()


@pytest.fixture
def client(pair: tuple[socket.socket, gevent.socket.socket]) -> socket.socket:
    return pair[0]


@pytest.fixture
def server(pair: tuple[socket.socket, gevent.socket.socket]) -> gevent.socket.socket:
    return pair[1]


@pytest.fixture
def watch(server: gevent.socket.socket) -> Iterator[ClientWatch]:
    watching = ClientWatch(server)
    yield watching
    watching.close()


@pytest.fixture
def left(watch: ClientWatch) -> Event:
    """Set by the watch's callback."""
    event = Event()
    watch.on_leave(event.set)
    return event


def leave(client: socket.socket, how: str) -> None:
    if how == "half":
        client.shutdown(socket.SHUT_WR)
        return
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_a_client_that_leaves_is_noticed(client: socket.socket, watch: ClientWatch, left: Event, how: str) -> None:
    gevent.sleep(0)
    assert (watch.gone, left.is_set()) == (False, False)
    leave(client, how)
    assert left.wait(LONG)
    assert watch.gone


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_and_so_it_is_behind_data_that_nobody_reads(
    client: socket.socket, watch: ClientWatch, left: Event, how: str
) -> None:
    client.sendall(b"GET /next HTTP/1.1\r\n")
    gevent.sleep(0.01)
    assert not watch.gone
    leave(client, how)
    assert left.wait(LONG)
    assert watch.gone


def test_a_client_that_sends_and_stays_is_not_gone(client: socket.socket, watch: ClientWatch, left: Event) -> None:
    client.sendall(b"more")
    assert not left.wait(SOON)
    assert not watch.gone


def test_a_client_is_watched_on_when_its_data_were_read(
    client: socket.socket, server: gevent.socket.socket, watch: ClientWatch, left: Event
) -> None:
    for _ in range(3):
        client.sendall(b"piece")
        assert server.recv(5) == b"piece"
    client.sendall(b"unread for long")
    gevent.sleep(SOON)
    server.recv(100)
    gevent.sleep(SOON)
    client.close()
    assert left.wait(LONG)


def test_an_upload_that_is_read_as_it_comes_is_watched(
    client: socket.socket, server: gevent.socket.socket, watch: ClientWatch, left: Event
) -> None:
    read = 0

    def reader() -> None:
        nonlocal read
        while data := server.recv(1000):
            read += len(data)

    reading = gevent.spawn(reader)
    for _ in range(50):
        client.sendall(b"x" * 1000)
        gevent.sleep(0.001)
    client.close()
    reading.get(timeout=LONG)
    assert left.wait(LONG)
    assert read == 50_000


def test_a_pause_ends_when_the_client_leaves(client: socket.socket, watch: ClientWatch) -> None:
    gevent.spawn_later(0.01, client.close)
    begin = monotonic()
    watch.pause(LONG)
    assert monotonic() - begin < LONG
    assert watch.gone


def test_a_pause_is_as_long_as_it_was_to_be(watch: ClientWatch) -> None:
    begin = monotonic()
    watch.pause(0.05)
    assert monotonic() - begin > 0.04
    assert not watch.gone


def test_the_latest_callback_counts_and_one_that_comes_late_runs_at_once(
    client: socket.socket, watch: ClientWatch
) -> None:
    called: list[str] = []
    watch.on_leave(lambda: called.append("first"))
    watch.on_leave(lambda: called.append("second"))
    client.close()
    watch.pause(LONG)
    assert called == ["second"]
    watch.on_leave(lambda: called.append("third"))
    assert called == ["second", "third"]


def test_one_that_is_told_to_end_acts_as_if_the_client_had_left(server: gevent.socket.socket) -> None:
    among: set[ClientWatch] = set()
    called: list[str] = []
    watch = ClientWatch(server, among)
    watch.on_leave(lambda: called.append("first"))
    gevent.spawn_later(0.01, lambda: [each.end() for each in among])
    begin = monotonic()
    watch.pause(LONG)
    assert monotonic() - begin < LONG
    watch.on_leave(lambda: called.append("second"))
    assert (watch.gone, watch.ended, called) == (False, True, ["first", "second"])
    watch.close()
    assert among == set()


def test_a_client_may_still_leave_then(client: socket.socket, watch: ClientWatch) -> None:
    watch.end()
    client.close()
    gevent.sleep(0.01)
    assert (watch.gone, watch.ended) == (True, True)


@pytest.mark.parametrize("data", [b"", b"unread"])
def test_a_closed_watch_notices_nothing(client: socket.socket, watch: ClientWatch, left: Event, data: bytes) -> None:
    client.sendall(data)
    gevent.sleep(0.01)
    watch.close()
    client.close()
    assert not left.wait(SOON)
    watch.close()


def test_it_takes_nothing_of_what_the_client_sends(
    client: socket.socket, server: gevent.socket.socket, watch: ClientWatch
) -> None:
    client.sendall(b"untouched")
    gevent.sleep(0.01)
    assert server.recv(100) == b"untouched"


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_the_state_of_a_connection_can_be_asked_for(
    client: socket.socket, server: gevent.socket.socket, how: str
) -> None:
    client.sendall(b"unread")
    assert not has_left(server)
    leave(client, how)
    assert has_left(server)


def test_without_a_socket_clients_stay() -> None:
    watch = NoWatch()
    watch.on_leave(lambda: pytest.fail("nobody left"))
    begin = monotonic()
    watch.pause(0.02)
    assert monotonic() - begin > 0.01
    assert not watch.gone
    assert not watch.ended
    watch.close()
