"""`docker stop` under a hundred open streams: none is cut."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.containers.conftest import Serve
from tests.containers.docker import Container
from tests.containers.streams import cut, streams
from tests.drills.client import CHAT, MESSAGES, Connection, error_of

STREAMS = 100
CHUNKS = 40
PATIENCE = 60  # seconds for `docker stop`, of which it should need a few
OVER = {CHAT: "shutting_down", MESSAGES: "overloaded_error"}


@contextmanager
def stopping(server: Container) -> Iterator[None]:
    """`docker stop` for the length of a block; by then the server must have ended by itself."""
    command = ["docker", "stop", "--time", str(PATIENCE), server.name]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as stop:
        yield
        assert stop.wait(PATIENCE) == 0
    assert server.state["ExitCode"] == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_streams_are_read_to_their_end(serve: Serve, workers):
    server = serve(WEB_CONCURRENCY=workers, GRACEFUL_TIMEOUT_SECONDS="50")
    with streams(lambda: Connection(server), f"echo/chunks={CHUNKS},gap=0.2", STREAMS) as begun, stopping(server):
        assert cut(begun) == []
    assert outcomes(server) == [(200, None, False)] * STREAMS


def test_streams_longer_than_the_grace_are_told(serve: Serve):
    server = serve(WEB_CONCURRENCY="2", GRACEFUL_TIMEOUT_SECONDS="2")
    with streams(lambda: Connection(server), "echo/chunks=1000,gap=0.2", STREAMS) as begun, stopping(server):
        assert [error_of(stream.whole(), stream.path) for stream in begun] == [OVER[stream.path] for stream in begun]
    assert outcomes(server) == [(503, "shutting_down", False)] * STREAMS


def outcomes(server: Container) -> list[tuple[int, str | None, bool]]:
    """What the log says of each call."""
    calls = [line for line in server.log_lines() if line["event"] == "request" and "model" in line]
    return [(line["status"], line.get("error"), line.get("client_gone", False)) for line in calls]
