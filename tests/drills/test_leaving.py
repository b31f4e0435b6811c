"""Callers who leave a running server: the vendor's work ends within a chunk, or within a second, in every phase."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from tests.drills.client import CHAT, MESSAGES, Connection, ask, begin_upload, connected
from tests.drills.conftest import Seen, Serve
from tests.upstream import Gateway, Upstream

MODELS = """
[defaults]
attempts = 2
longest_wait = 30.0
[providers.openai]
shapes = ["*"]
[providers.anthropic]
kind = "anthropic"
[providers.lost]
key = ""
timeouts = { connect = 30 }
"""
LEAVING: list[Callable[[Connection], None]] = [
    lambda connection: connection.close(),
    lambda connection: connection.close(abruptly=True),
    lambda connection: connection.sock.shutdown(socket.SHUT_WR),
]
WAYS = pytest.mark.parametrize("leave", LEAVING, ids=["closes", "resets", "half-closes"])


@pytest.fixture(scope="module")
def server(vendor: Upstream, serve: Serve) -> Gateway:
    """Two workers. Pings would notice, too: there are none in these tests."""
    return serve(
        vendor,
        models=MODELS,
        LOST_BASE_URL=vendor.blackhole,
        WEB_CONCURRENCY="2",
        CLIENT_TIMEOUT_SECONDS="1",
        MAX_BODY_BYTES="100000000",
    )


def left(server: Gateway, model: str, since: float) -> None:
    """The access line says so, soon after."""
    line = server.wait_for_line(lambda line: line["event"] == "request" and line.get("model") == model)
    assert line["client_gone"] is True
    assert time.monotonic() - since < 4.0


# ---- whole answers ----


@WAYS
@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream"])
def test_while_a_whole_answer_is_waited_for(
    server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, leave: Callable[[Connection], None]
) -> None:
    model = f"openai/{time.monotonic_ns()}"
    with connected(server) as connection:
        vendor.plan(behaviour)
        connection.ask(model)
        vendor.wait(lambda _: seen.calls and seen.call.received_at)
        begin = time.monotonic()
        leave(connection)
        call = seen.cancelled()
        assert call.left_at is not None
        assert call.left_at - begin < 1.0
    left(server, model, begin)


def test_while_a_named_time_is_waited_out(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("retry-after-20")
    model = f"openai/{time.monotonic_ns()}"
    with connected(server) as connection:
        connection.ask(model)
        vendor.wait(lambda _: seen.calls and seen.call.ended_at)
        begin = time.monotonic()
    left(server, model, begin)
    assert len(seen.calls) == 1


def test_while_a_vendor_is_being_reached(server: Gateway, seen: Seen) -> None:
    model = f"lost/{time.monotonic_ns()}"
    with connected(server) as connection:
        connection.ask(model)
        assert ask(server, "openai/m").status == 200  # by then the other one is at it
        begin = time.monotonic()
    left(server, model, begin)


# ---- streams ----


@WAYS
@pytest.mark.parametrize(("model", "path"), [("openai", CHAT), ("anthropic", MESSAGES), ("anthropic", CHAT)])
def test_within_a_stream_that_flows(
    server: Gateway, vendor: Upstream, seen: Seen, model: str, path: str, leave: Callable[[Connection], None]
) -> None:
    vendor.plan("stream-1000-0.05")
    name = f"{model}/{time.monotonic_ns()}"
    with connected(server) as connection:
        connection.ask(name, path, stream=True)
        connection.events(5)
        sent = len(seen.call.events)
        begin = time.monotonic()
        leave(connection)
        call = seen.cancelled()
    assert len(call.events) - sent <= 3
    left(server, name, begin)


@WAYS
@pytest.mark.parametrize("behaviour", ["silent-stream-2", "silent-half-2"])
def test_within_a_stream_that_is_silent(
    server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, leave: Callable[[Connection], None]
) -> None:
    vendor.plan(behaviour)
    name = f"openai/{time.monotonic_ns()}"
    with connected(server) as connection:
        connection.ask(name, stream=True)
        connection.events(2)
        begin = time.monotonic()
        leave(connection)
        call = seen.cancelled()
        assert call.left_at is not None
        assert call.left_at - begin < 1.0
    left(server, name, begin)


def test_before_a_stream_begins(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("silent")
    with connected(server) as connection:
        connection.ask("openai/m", stream=True)
        vendor.wait(lambda _: seen.calls and seen.call.received_at)
    seen.cancelled()


def test_among_pings(vendor: Upstream, seen: Seen, serve: Serve) -> None:
    pinging = serve(vendor, models=MODELS, PING_SECONDS="0.05")
    vendor.plan("silent")
    with connected(pinging) as connection:
        connection.ask("openai/m", stream=True)
        connection.events(3)
    seen.cancelled()


def test_by_not_reading_any_more(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    """CLIENT_TIMEOUT_SECONDS: the vendor is not kept for a reader who stands still."""
    vendor.plan("big-60000")
    with connected(server) as connection:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.ask("openai/m", stream=True)
        vendor.wait(lambda _: seen.calls and seen.call.cancelled)


def test_a_connection_that_rests_between_calls_is_kept(server: Gateway, vendor: Upstream) -> None:
    """For KEEPALIVE_SECONDS, which a balancer must be able to count on; CLIENT_TIMEOUT_SECONDS is over sooner here."""
    vendor.plan("ok", "ok")
    with connected(server) as connection:
        connection.ask("openai/m")
        assert connection.said().status == 200
        time.sleep(2.0)
        connection.ask("openai/m")
        assert connection.said().status == 200


def test_with_the_next_request_sent_already(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("silent")
    with connected(server) as connection:
        connection.ask("openai/m")
        vendor.wait(lambda _: seen.calls and seen.call.received_at)
        connection.ask("openai/next")
        begin = time.monotonic()
    call = seen.cancelled()
    assert call.left_at is not None
    assert call.left_at - begin < 1.5


# ---- uploads ----

WHISPER = "openai/whisper-1"
END = b"\r\n--b--\r\n"


@WAYS
def test_within_an_upload(server: Gateway, vendor: Upstream, seen: Seen, leave: Callable[[Connection], None]) -> None:
    with connected(server) as connection:
        begin_upload(connection, WHISPER, 1_000_000)
        vendor.wait(lambda _: seen.calls and seen.call.arrivals)
        begin = time.monotonic()
        leave(connection)
        call = seen.cancelled()
        assert call.left_at is not None
        assert call.left_at - begin < 1.0
    assert call.received_at is None


@WAYS
def test_after_an_upload(server: Gateway, vendor: Upstream, seen: Seen, leave: Callable[[Connection], None]) -> None:
    vendor.plan("silent")
    with connected(server) as connection:
        begin_upload(connection, WHISPER, 1_000_000, END)
        connection.sock.sendall(END)
        vendor.wait(lambda _: seen.calls and seen.call.received_at)
        begin = time.monotonic()
        leave(connection)
        call = seen.cancelled()
        assert call.left_at is not None
        assert call.left_at - begin < 1.0


def test_within_an_upload_that_the_vendor_does_not_read(vendor: Upstream, seen: Seen, serve: Serve) -> None:
    server = serve(vendor, models=MODELS, OPENAI_BASE_URL=vendor.mute, MAX_BODY_BYTES="100000000")
    with connected(server) as connection:
        connection.sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            begin_upload(connection, WHISPER, 50_000_000)
        begin = time.monotonic()
        connection.close(abruptly=True)  # an orderly end would wait behind what nobody reads
    left(server, WHISPER, begin)


def test_an_upload_that_stands_still(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    with connected(server) as connection:
        begin_upload(connection, WHISPER, 1_000_000)
        said = connection.said()
    assert (said.status, said.json["error"]["code"]) == (408, "request_timeout")
    seen.cancelled()


# ---- afterwards ----


def test_nobody_else_is_disturbed(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("stream-20-0.02", *["silent-stream-2"] * 10)
    with connected(server) as reader:
        reader.ask("openai/reader", stream=True)
        reader.events(2)
        for _ in range(10):
            with connected(server) as connection:
                connection.ask("openai/leaver", stream=True)
                connection.events(2)
        rest = b"".join(reader.blocks())
    assert rest.endswith(b"data: [DONE]\n\n")
    vendor.wait(lambda _: sum(call.cancelled for call in seen.calls) == 10)
