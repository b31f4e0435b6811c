"""Time limits and pings on a running server: what a caller reads while a vendor is slow, and when it is too slow."""

from __future__ import annotations

import socket
import time

import pytest

from tests.drills.client import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Connection,
    Said,
    access_line,
    ask,
    begin_upload,
    connected,
    error_of,
    stream,
)
from tests.drills.conftest import Seen, Serve
from tests.upstream import Behaviour, Call, Close, Gateway, Send, Steps, Upstream, Wait, right

PING = b": ping\n\n"
MODELS = """
[defaults]
attempts = 1
[rest]
failures = 1000
[providers.openai]
shapes = ["*"]
[providers.anthropic]
kind = "anthropic"
[models.total]
targets = ["openai/total"]
timeouts = { total = 0.5 }
[models.total-claude]
targets = ["anthropic/total"]
timeouts = { total = 0.5 }
[models.idle]
targets = ["openai/idle"]
timeouts = { idle = 0.3 }
[models.idle-claude]
targets = ["anthropic/idle"]
timeouts = { idle = 0.3 }
[models.first]
targets = ["openai/first"]
timeouts = { first_byte = 0.3 }
[models.whisper]
targets = ["openai/whisper"]
timeouts = { total = 0.5 }
[models.lost]
targets = ["openai/lost"]
timeouts = { connect = 20, total = 0.5 }
"""
FAMILIES = [("", CHAT), ("", "/v1/completions"), ("", RESPONSES), ("-claude", MESSAGES)]
LONG = 4.0  # seconds; far more than any of these tests should take


@pytest.fixture(scope="module")
def server(vendor: Upstream, serve: Serve) -> Gateway:
    """Pings do not come in these tests."""
    return serve(vendor, models=MODELS)


@pytest.fixture(scope="module")
def pinging(vendor: Upstream, serve: Serve) -> Gateway:
    return serve(vendor, models=MODELS, PING_SECONDS="0.1")


def stalled(seconds: float) -> Behaviour:
    """Something, half an event, a pause, the rest."""

    def play(call: Call) -> Steps:
        whole = b"".join(right(call).pieces)
        half = whole.find(b"\n\n", whole.find(b"gulls")) + 10
        yield Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + whole[:half])
        yield Wait(seconds)
        yield Send(whole[half:])
        yield Close()

    return Behaviour("stalled", play)


def trickled(connection: Connection, byte: bytes) -> Said:
    """The answer to a request whose body goes on byte by byte until then."""
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        try:
            connection.sock.recv(1, socket.MSG_PEEK)
            break
        except TimeoutError:
            connection.sock.sendall(byte)
    connection.sock.settimeout(LONG)
    return connection.said()


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-0", "trickle"])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_the_total_before_content(
    server: Gateway, vendor: Upstream, seen: Seen, behaviour: str, streamed: bool
) -> None:
    def trickle(call: Call) -> Steps:
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
            yield Send(bytes([byte]))
            yield Wait(0.02)

    vendor.plan(Behaviour("trickle", trickle) if behaviour == "trickle" else behaviour)
    begin = time.monotonic()
    said = ask(server, "total", stream=streamed)
    assert (said.status, said.json["error"]["code"]) == (504, "deadline_exceeded")
    assert time.monotonic() - begin < LONG
    seen.cancelled()


@pytest.mark.parametrize(("suffix", "path"), FAMILIES)
@pytest.mark.parametrize("pings", [False, True], ids=["", "pings"])
def test_the_total_after_content(
    server: Gateway, pinging: Gateway, vendor: Upstream, seen: Seen, suffix: str, path: str, pings: bool
) -> None:
    vendor.plan(stalled(60))
    raw = stream(pinging if pings else server, f"total{suffix}", path)
    assert error_of(raw, path) == ("timeout_error" if suffix else "deadline_exceeded")
    assert (PING in raw) is pings
    seen.cancelled()


def test_the_total_of_a_stream_that_flows(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("stream-1000-0.01")
    assert error_of(stream(server, "total"), CHAT) == "deadline_exceeded"
    assert 5 < len(seen.cancelled().events) < 200


@pytest.mark.parametrize("sound", [400_000, 10], ids=["on its way", "in its beginning"])
def test_the_total_of_an_upload_that_trickles(serve: Serve, vendor: Upstream, seen: Seen, sound: int) -> None:
    """Each byte is in time, the piece that they make is not."""
    server = serve(vendor, models=MODELS, REQUEST_TIMEOUT_SECONDS="0.7")
    begin = time.monotonic()
    with connected(server) as connection:
        begin_upload(connection, "whisper", sound)
        connection.sock.settimeout(0.05)
        said = trickled(connection, b"a")
    assert (said.status, said.json["error"]["code"]) == (504, "deadline_exceeded")
    assert time.monotonic() - begin < LONG
    if sound > 10:
        seen.cancelled()


def test_the_total_of_a_body_that_trickles(serve: Serve, vendor: Upstream) -> None:
    server = serve(vendor, models=MODELS, REQUEST_TIMEOUT_SECONDS="0.5")
    with connected(server) as connection:
        connection.sock.sendall(
            connection.head("POST", CHAT, {"Content-Type": "application/json", "Content-Length": "100000"})
        )
        connection.sock.settimeout(0.05)
        said = trickled(connection, b" ")
    assert (said.status, said.json["error"]["code"]) == (504, "deadline_exceeded")


def test_connecting_counts(serve: Serve, vendor: Upstream) -> None:
    server = serve(vendor, models=MODELS, OPENAI_BASE_URL=vendor.blackhole)
    begin = time.monotonic()
    assert ask(server, "lost").status == 504
    assert time.monotonic() - begin < LONG


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-0"])
def test_the_first_byte(server: Gateway, vendor: Upstream, seen: Seen, behaviour: str) -> None:
    vendor.plan(behaviour)
    said = ask(server, "first", stream=True)
    assert (said.status, said.json["error"]["code"]) == (504, "upstream_timeout")
    seen.cancelled()


def test_the_first_byte_is_no_limit_to_the_rest(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("slow-middle-0.6")
    assert stream(server, "first").endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(("suffix", "path"), FAMILIES)
def test_silence_after_content(server: Gateway, vendor: Upstream, seen: Seen, suffix: str, path: str) -> None:
    vendor.plan(stalled(60))
    raw = stream(server, f"idle{suffix}", path)
    assert error_of(raw, path) == ("timeout_error" if suffix else "upstream_timeout")
    seen.cancelled()


def test_silence_within_a_whole_answer(server: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("silent-stream")
    said = ask(server, "idle")
    assert (said.status, said.json["error"]["code"]) == (504, "upstream_timeout")
    seen.cancelled()


# ---- pings ----


@pytest.mark.parametrize(("model", "path"), [("openai/m", CHAT), ("anthropic/m", MESSAGES), ("anthropic/m", CHAT)])
def test_pings_while_a_vendor_says_nothing(
    pinging: Gateway, vendor: Upstream, seen: Seen, model: str, path: str
) -> None:
    vendor.plan("slow-0.6")
    with connected(pinging) as connection:
        connection.ask(model, path, stream=True)
        begin = time.monotonic()
        answer = connection.answer()
        blocks = list(connection.blocks())
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/event-stream; charset=utf-8")
    assert time.monotonic() - begin < LONG
    assert blocks[:3] == [PING] * 3
    assert b"gulls" in b"".join(blocks)


@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_pings_stand_between_events(pinging: Gateway, vendor: Upstream, seen: Seen, model: str, path: str) -> None:
    vendor.plan(stalled(0.5))
    with connected(pinging) as connection:
        connection.ask(model, path, stream=True)
        blocks = list(connection.blocks())
    assert blocks.count(PING) >= 3
    for block in blocks:
        assert block.endswith(b"\n\n")
        assert block == PING or PING not in block


def test_a_vendor_that_fails_before_the_first_ping_is_due(pinging: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("error-503")
    assert ask(pinging, "openai/m", stream=True).status == 503


@pytest.mark.parametrize(("suffix", "path"), FAMILIES)
def test_a_vendor_that_fails_after_it(pinging: Gateway, vendor: Upstream, seen: Seen, suffix: str, path: str) -> None:
    def late(call: Call) -> Steps:
        yield Wait(0.2)
        yield Send(b"HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}")

    vendor.plan(Behaviour("late", late))
    said = ask(pinging, f"total{suffix}", path, stream=True)
    assert said.body.startswith(PING)
    assert error_of(said.body, path) == ("api_error" if suffix else "upstream_error")
    line = access_line(pinging, said)
    assert (line["status"], line["error"], line["client_gone"]) == (502, "upstream_error", False)


def test_no_ping_in_an_answer_that_is_no_stream(pinging: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("slow-0.4", "slow-middle-0.4")
    for path in (CHAT, "/v1/audio/speech"):
        assert PING not in ask(pinging, "openai/m", path).body
