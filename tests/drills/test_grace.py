"""The end of the grace: whoever still waits for an answer is told, the vendors' work ends, and then the server."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.drills.client import CHAT, MESSAGES, RESPONSES, Connection, begin_upload, connected, error_of
from tests.drills.conftest import Seen
from tests.upstream import Behaviour, Call, Gateway, Gateways, Send, Steps, Upstream

GRACE = 2.0
ENOUGH = 10.0
MODELS = """
[defaults]
longest_wait = 30.0
[providers.openai]
shapes = ["*"]
[providers.anthropic]
kind = "anthropic"
[providers.lost]
key = ""
timeouts = { connect = 30 }
"""
Ask = Callable[[Connection], None]


def call(model: str, path: str = CHAT, *, stream: bool = False) -> Ask:
    return lambda connection: connection.ask(model, path, stream=stream)


def get(path: str) -> Ask:
    return lambda connection: connection.sock.sendall(connection.head("GET", path, {}))


def half_a_body(connection: Connection) -> None:
    fields = {"Content-Type": "application/json", "Content-Length": "1000"}
    connection.sock.sendall(connection.head("POST", MESSAGES, fields) + b'{"model":')


def upload(connection: Connection) -> None:
    begin_upload(connection, "openai/upload", 1_000_000)


STREAMS: list[tuple[str, str]] = [
    ("openai/silent-stream-2", CHAT),
    ("openai/silent-half-2", "/v1/completions"),
    ("openai/silent-stream-2", RESPONSES),
    ("openai/stream-1000-0.05", CHAT),
    ("openai/stream-1000-0.05", MESSAGES),
    ("anthropic/silent-stream-2", MESSAGES),
    ("anthropic/stream-1000-0.05", MESSAGES),
    ("anthropic/silent-stream-2", CHAT),
    ("openai/silent", CHAT),  # only pings so far
    ("anthropic/silent-head", MESSAGES),
    ("echo/chunks=1000,gap=0.05", CHAT),
    ("echo/delay=60", MESSAGES),
]
WHOLE: list[tuple[Ask, str]] = [
    (get("/openai/models"), "plain"),
    (call("openai/silent"), "openai"),
    (call("openai/silent-stream"), "openai"),
    (call("openai/silent", "/v1/embeddings"), "openai"),
    (call("anthropic/silent", MESSAGES), "anthropic"),
    (call("openai/silent-head", MESSAGES), "anthropic"),
    (call("openai/retry-after-20"), "openai"),
    (call("lost/m"), "openai"),
    (call("lost/m", stream=True), "openai"),
    (call("echo/delay=60"), "openai"),
    (half_a_body, "anthropic"),
    (upload, "openai"),
]


@dataclass
class Open:
    """A server in which many calls wait."""

    server: Gateway
    streams: list[tuple[Connection, str]] = field(default_factory=list)
    whole: list[tuple[Connection, str]] = field(default_factory=list)


@pytest.fixture
def waiting(vendor: Upstream, seen: Seen, gateway: Gateways) -> Iterator[Open]:
    """All of the above, on their way."""
    server = gateway(
        vendor,
        models=MODELS,
        LOST_BASE_URL=vendor.blackhole,
        WEB_CONCURRENCY="2",
        PING_SECONDS="0.3",
        GRACEFUL_TIMEOUT_SECONDS=f"{GRACE:g}",
    )
    vendor.plan("silent")  # for the list of models, which has no model to name it
    made = Open(server)
    with ExitStack() as stack:
        for ask, family in WHOLE:
            connection = stack.enter_context(connected(server))
            ask(connection)
            if not made.whole:
                vendor.wait(lambda _: seen.calls)
            made.whole.append((connection, family))
        for model, path in STREAMS:
            connection = stack.enter_context(connected(server))
            connection.ask(model, path, stream=True)
            made.streams.append((connection, path))
        for connection, _ in made.streams:
            connection.events(2)
        vendor.wait(lambda _: len([each for each in seen.calls if each.live]) == len(cancelled(seen)))
        yield made


def cancelled(seen: Seen) -> list[str]:
    """The models of those calls that have no answer of their own end."""
    return [each.model for each in seen.calls if not each.model.startswith("retry-after")]


def test_everybody_is_told(waiting: Open, vendor: Upstream, seen: Seen) -> None:
    server = waiting.server
    server.signal(signal.SIGTERM)
    begin = time.monotonic()
    for connection, path in waiting.streams:
        raw = b"".join(connection.blocks())
        assert error_of(raw, path) == ("overloaded_error" if path == MESSAGES else "shutting_down")
    assert GRACE - 0.2 < time.monotonic() - begin < GRACE + 2.0
    for connection, family in waiting.whole:
        said = connection.said()
        assert said.status == 503
        if family == "plain":
            assert b"shutting down" in said.body
        elif family == "openai":
            assert said.json["error"]["code"] == "shutting_down"
        else:
            assert said.json["error"]["type"] == "overloaded_error"
    assert time.monotonic() - begin < GRACE + 2.0
    vendor.wait(lambda _: sum(each.cancelled for each in seen.calls) == len(cancelled(seen)))
    assert server.wait(ENOUGH) == 0
    assert_written_down(server, len(waiting.streams) + len(waiting.whole))
    assert [each.model for each in seen.calls].count("retry-after-20") == 1


def assert_written_down(server: Gateway, count: int) -> None:
    """Each call has its line, and nothing else is said to have failed."""
    lines = server.log_lines()
    told = [line for line in lines if line["event"] == "request" and line["route"] != "/monitoring/ready"]
    assert {line["status"] for line in told} == {503}
    assert {line["error"] for line in told if "model" in line} == {"shutting_down"}
    assert not any(line.get("client_gone") for line in told)
    assert len(told) == count
    assert not any(line.get("code") == "shutting_down" for line in lines if line["event"] == "attempt failed")
    assert {line["level"] for line in lines if line["event"] != "attempt failed"} == {"info"}


def await_standstill(vendor: Upstream, seen: Seen) -> None:
    """Until the vendor can send no more of its answer, because nobody reads it."""
    vendor.wait(lambda _: seen.calls and seen.call.sent)
    sent = 0
    while len(seen.call.sent) > sent:
        sent = len(seen.call.sent)
        time.sleep(1.0)


def flood(call: Call) -> Steps:
    """More than sockets hold."""
    yield Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    while True:
        yield Send(b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"a" * 60_000))


def test_a_caller_who_does_not_read_is_not_waited_for(gateway: Gateways, vendor: Upstream, seen: Seen) -> None:
    server = gateway(vendor, models=MODELS, GRACEFUL_TIMEOUT_SECONDS="1", CLIENT_TIMEOUT_SECONDS="60")
    vendor.plan(Behaviour("flood", flood))
    with connected(server) as connection:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.ask("openai/m", stream=True)
        await_standstill(vendor, seen)
        server.signal(signal.SIGTERM)
        seen.cancelled()
        assert server.wait(ENOUGH) == 0
    line = next(line for line in server.log_lines() if line.get("model") == "openai/m")
    assert line["client_gone"]


def test_an_answer_that_is_no_stream_of_events_is_broken_off(gateway: Gateways, vendor: Upstream, seen: Seen) -> None:
    server = gateway(vendor, models=MODELS, GRACEFUL_TIMEOUT_SECONDS="1")
    with connected(server) as connection:
        connection.ask("openai/slow-middle-60", "/v1/audio/speech")
        assert connection.answer().status == 200
        server.signal(signal.SIGTERM)
        with pytest.raises(http.client.IncompleteRead):
            connection.said()
        assert server.wait(ENOUGH) == 0
    seen.cancelled()
