"""Between SIGTERM and the end of DRAIN_SECONDS: not ready, and serving all the same."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable

import pytest

from tests.drills.client import Connection, ask, connected
from tests.upstream import Gateway

ENOUGH = 20.0
MODELS = "[providers.openai]\n"


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + ENOUGH
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def all_drain(server: Gateway) -> bool:
    """Whether whichever worker answers says so."""
    return all(server.ready_status() == 503 for _ in range(10))


@pytest.fixture
def server(gateway, upstream):
    running = gateway(upstream, models=MODELS, WEB_CONCURRENCY="2", DRAIN_SECONDS="6", GRACEFUL_TIMEOUT_SECONDS="20")
    until(lambda: len(running.worker_pids) == 2 and all(running.ready_status() == 200 for _ in range(10)))
    return running


def test_new_and_kept_connections_are_served_and_ended(server):
    kept = [Connection(server) for _ in range(8)]
    for connection in kept:
        connection.ask("openai/ok")
        said = connection.said()
        assert (said.status, said.headers.get("connection")) == (200, "keep-alive")
    server.signal(signal.SIGTERM)
    until(lambda: all_drain(server))
    for connection in kept:
        connection.ask("openai/ok")
        said = connection.said()
        assert (said.status, said.headers.get("connection")) == (200, "close")
        assert connection.sock.recv(1) == b""
        connection.close()
    for _ in range(8):
        said = ask(server, "openai/ok")
        assert (said.status, said.headers.get("connection")) == (200, "close")
    assert server.wait(ENOUGH) == 0


def test_streams_of_before_and_of_meanwhile_are_read_to_their_end(server):
    with connected(server) as before, connected(server) as meanwhile:
        before.ask("openai/stream-80-0.1", stream=True)
        before.events(1)
        server.signal(signal.SIGTERM)
        until(lambda: all_drain(server))
        meanwhile.ask("openai/stream-80-0.1", stream=True)  # goes on for two seconds after the door is closed
        meanwhile.events(1)
        until(lambda: server.ready_status() is None)
        for stream in (before, meanwhile):
            assert b"".join(stream.blocks()).endswith(b"data: [DONE]\n\n")
    assert server.wait(ENOUGH) == 0


def test_a_connection_that_came_meanwhile_and_is_silent_does_not_hold_up_the_end(server):
    server.signal(signal.SIGTERM)
    until(lambda: all_drain(server))
    silent = socket.create_connection(("127.0.0.1", int(server.settings["PORT"])))
    assert server.wait(ENOUGH) == 0
    silent.close()
