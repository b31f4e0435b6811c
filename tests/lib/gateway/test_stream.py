"""From the first content to the last byte: what a caller reads, however the vendor's stream goes on."""

from __future__ import annotations

import re
from time import monotonic
from typing import Any

import gevent
import msgspec
import pytest

from lib.gateway import Call
from lib.wire import PING, Path, Shape, path_of
from tests.lib.gateway.door import CHAT, Door, end_soon, leave_soon
from tests.upstream import Behaviour, Close, Send, Steps, Upstream, Wait, right
from tests.upstream import Call as Seen
from tests.upstream.steps import deliver

COMPLETION, RESPONSE, MESSAGE, SPEECH = (
    path_of(shape) for shape in (Shape.COMPLETION, Shape.RESPONSE, Shape.MESSAGE, Shape.SPEECH)
)
FAMILIES = [
    pytest.param("openai/m", CHAT, id="chat"),
    pytest.param("openai/m", COMPLETION, id="completion"),
    pytest.param("openai/m", RESPONSE, id="response"),
    pytest.param("anthropic/m", MESSAGE, id="message"),
    pytest.param("anthropic/m", CHAT, id="chat from anthropic"),
    pytest.param("openai/m", MESSAGE, id="message from openai"),
]


def last_event(raw: bytes) -> tuple[str | None, Any]:
    """Name and data of the last event; fails when the stream does not end with a whole one."""
    assert raw.endswith(b"\n\n")
    lines = raw[:-2].rpartition(b"\n\n")[2].split(b"\n")
    named = [line.removeprefix(b"event: ").decode() for line in lines if line.startswith(b"event: ")]
    (data,) = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]
    return (named[0] if named else None), msgspec.json.decode(data)


def assert_ends_in_error(raw: bytes, path: Path, code: str, status: int) -> None:
    """The last event says so in the way of its family, and nothing of the usual end came before."""
    name, data = last_event(raw)
    if path is MESSAGE:
        kind = {503: "overloaded_error", 504: "timeout_error"}.get(status, "api_error")
        assert (name, data["type"], data["error"]["type"]) == ("error", "error", kind)
        assert b"message_stop" not in raw
    elif path is RESPONSE:
        assert (name, data["type"], data["code"]) == ("error", "error", code)
        assert b"response.completed" not in raw
    else:
        assert name is None
        assert set(data["error"]) == {"message", "type", "param", "code"}
        assert (data["error"]["code"], data["error"]["type"]) == (code, "server_error")
        assert b"[DONE]" not in raw


def stalled(seconds: float = 60.0, chunks: int = 2) -> Behaviour:
    """A stream that says something, half of something, and then nothing for a while."""

    def play(call: Seen) -> Steps:
        answer = right(call)
        whole = b"".join(answer.pieces)
        half = whole.find(b"\n\n", whole.find(b"gulls")) + 10
        yield Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + whole[:half])
        yield Wait(seconds)
        yield Send(whole[half:])
        yield Close()

    return Behaviour("stalled", play)


# ---- the same dialect: byte for byte ----


@pytest.mark.parametrize(("model", "path"), FAMILIES[:4])
@pytest.mark.parametrize("behaviour", ["ok", "big-100", "tools", "cached", "length", "crlf", "comments", "multiline"])
def test_a_stream_comes_down_as_it_came(door: Door, upstream: Upstream, model: str, path: Path, behaviour: str) -> None:
    upstream.plan(behaviour)
    options = {"stream_options": {"include_usage": True}} if path in (CHAT, COMPLETION) else {}
    raw = door.stream(model, path, **options)
    assert raw == bytes(upstream.calls[0].payload)
    assert door.tally.used["output"] > 0


@pytest.mark.parametrize("behaviour", ["ok", "crlf", "one-write", "bytewise", "split"])
@pytest.mark.parametrize("path", [CHAT, COMPLETION])
def test_usage_that_nobody_asked_for_is_taken_out(door: Door, upstream: Upstream, path: Path, behaviour: str) -> None:
    upstream.plan(behaviour)
    raw = door.stream("openai/m", path)
    sent = bytes(upstream.calls[0].payload)
    usage = re.findall(rb'data: \{[^\n\r]*"usage":\{[^\n\r]*\}[\r\n]+', sent)
    assert len(usage) == 1
    assert raw == sent.replace(usage[0], b"")
    assert door.tally.used == {"input": 21, "output": 5, "cache_read": 0, "cache_write": 0}


def test_a_vendor_that_counts_nothing_is_no_failure(door: Door, upstream: Upstream) -> None:
    upstream.plan("nousage")
    assert door.stream().endswith(b"data: [DONE]\n\n")
    assert door.tally.used == {}


def test_nothing_is_held_back_that_could_go_out(door: Door, upstream: Upstream) -> None:
    upstream.plan(stalled())
    call = door.call(stream=True)
    reply = door.ask(call)
    blocks = iter(reply.body)  # type: ignore[arg-type]
    first = next(blocks)
    assert first.endswith(b"\n\n")
    assert "gulls" in first.decode()
    reply.body.close()  # type: ignore[union-attr]
    upstream.wait(lambda upstream: upstream.cancelled)


# ---- failures after content ----

BROKEN = [
    ("cut-body", "upstream_invalid_response", 502),
    ("close-body", "upstream_invalid_response", 502),
    ("close-chunk", "upstream_invalid_response", 502),
    ("close-half", "upstream_invalid_response", 502),
    ("junk-chunk", "upstream_invalid_response", 502),
    ("junk-event", "upstream_invalid_response", 502),
    ("error-after-2-503", "upstream_overloaded", 503),
    ("error-after-2-500", "upstream_error", 502),
]


@pytest.mark.parametrize(("model", "path"), FAMILIES)
@pytest.mark.parametrize(("behaviour", "code", "status"), BROKEN)
def test_every_failure_ends_in_an_event(
    door: Door, upstream: Upstream, model: str, path: Path, behaviour: str, code: str, status: int
) -> None:
    upstream.plan(behaviour)
    call = door.call(model, path, stream=True)
    raw = b"".join(door.blocks(call))
    assert "gulls" in raw.decode()
    assert_ends_in_error(raw, path, code, status)
    assert len(upstream.calls) == 1
    assert (call.record.status, call.record.error, call.record.gone) == (status, code, False)
    assert door.tally.failures == [(model.partition("/")[0], code)]


@pytest.mark.parametrize(("model", "path"), FAMILIES)
@pytest.mark.parametrize("limit", ["idle", "total"])
def test_so_does_silence(door: Door, upstream: Upstream, model: str, path: Path, limit: str) -> None:
    rows = "[defaults]\ntimeouts = { idle = 0.15 }\n" if limit == "idle" else ""
    door.open(rows, total=0.3 if limit == "total" else 30.0)
    upstream.plan(stalled())
    raw = door.stream(model, path)
    assert_ends_in_error(raw, path, "upstream_timeout" if limit == "idle" else "deadline_exceeded", 504)
    upstream.wait(lambda upstream: upstream.cancelled)


def test_a_stream_that_never_pauses_ends_in_time_too(door: Door, upstream: Upstream) -> None:
    def endless(call: Seen) -> Steps:
        yield Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            yield Send(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n' * 100)

    door.open(total=0.3)
    upstream.plan(Behaviour("endless", endless))
    call = door.call(stream=True)
    begin = monotonic()
    size = 0
    reply = door.ask(call)
    for block in reply.body:  # type: ignore[union-attr]
        size += len(block)
        last = block
    reply.body.close()  # type: ignore[union-attr]
    assert monotonic() - begin < 4.0
    assert_ends_in_error(last, CHAT, "deadline_exceeded", 504)


def test_an_event_without_end_is_a_failure(door: Door, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.gateway.whole_events.MAX_EVENT", 1 << 20)

    def endless(call: Seen) -> Steps:
        yield from list(deliver(right(call)))[:4]
        for _ in range(1000):
            yield Send(b"10000\r\n" + b"a" * 65536 + b"\r\n")

    upstream.plan(Behaviour("endless", endless))
    assert_ends_in_error(door.stream(), CHAT, "upstream_invalid_response", 502)
    upstream.wait(lambda upstream: upstream.cancelled)


def test_sound_that_breaks_off_breaks_the_connection(door: Door, upstream: Upstream) -> None:
    upstream.plan("cut-body")
    reply = door.ask(door.call("openai/tts", SPEECH))
    with pytest.raises(ConnectionResetError):
        list(reply.body)
    reply.body.close()  # type: ignore[union-attr]
    assert door.tally.failures == [("openai", "upstream_invalid_response")]


def test_a_response_that_says_itself_that_it_failed_is_handed_on(door: Door, upstream: Upstream) -> None:
    failed = (
        b'event: response.failed\ndata: {"type":"response.failed","response":{"error":{"code":"server_error"}}}\n\n'
    )

    def play(call: Seen) -> Steps:
        answer = right(call)
        return deliver(answer.with_pieces(*answer.pieces[:-1], failed))

    upstream.plan(Behaviour("failed", play))
    assert door.stream("openai/m", RESPONSE).endswith(failed)


# ---- ends ----


@pytest.mark.parametrize(("model", "path"), FAMILIES[:4])
@pytest.mark.parametrize("behaviour", ["last-close", "no-length", "http10", "trailers", "one-write"])
def test_an_end_is_an_end_however_it_is_framed(
    door: Door, upstream: Upstream, model: str, path: Path, behaviour: str
) -> None:
    upstream.plan(behaviour)
    call = door.call(model, path, stream=True)
    door.blocks(call)
    assert (call.record.error, call.record.gone, door.tally.failures) == (None, False, [])


def test_the_last_event_of_a_chat_may_be_left_out(door: Door, upstream: Upstream) -> None:
    upstream.plan("no-done")
    call = door.call(stream=True)
    assert b'"finish_reason":"stop"' in b"".join(door.blocks(call))
    assert call.record.error is None


@pytest.mark.parametrize("end", [b"data: [DONE]", b"data:[DONE]\n", b"data: [DONE]\r\n"])
def test_its_last_blank_line_may_be_left_out(door: Door, upstream: Upstream, end: bytes) -> None:
    def play(call: Seen) -> Steps:
        answer = right(call)
        return deliver(answer.with_pieces(*answer.pieces[:-1], end))

    upstream.plan(Behaviour("no-blank-line", play), Behaviour("no-blank-line", play))
    call = door.call(stream=True)
    assert b"".join(door.blocks(call)).endswith(b"data: [DONE]\n\n")
    assert call.record.error is None
    assert b"message_stop" in door.stream("openai/m", MESSAGE)


def test_nothing_that_comes_after_the_end_is_an_error(door: Door, upstream: Upstream) -> None:
    upstream.plan("close-end")
    call = door.call(stream=True)
    raw = b"".join(door.blocks(call))
    assert_ends_in_error(raw.replace(b"data: [DONE]\n\n", b""), CHAT, "upstream_invalid_response", 502)


# ---- pings ----


@pytest.mark.parametrize(("model", "path"), FAMILIES)
def test_while_a_vendor_is_silent_pings_go_out_between_events(
    door: Door, upstream: Upstream, model: str, path: Path
) -> None:
    door.open(ping=0.04)
    upstream.plan(stalled(seconds=0.2))
    blocks = door.blocks(door.call(model, path, stream=True))
    assert PING in blocks[1:-1]
    assert all(block == PING or PING not in block for block in blocks)
    quiet = b"".join(block for block in blocks if block != PING)
    upstream.plan(stalled(seconds=0.0))
    other = door.stream(model, path)
    assert len(quiet) == len(other)


@pytest.mark.parametrize("behaviour", ["slow-0.6", "slow-body-0.6"])
def test_pings_before_the_first_content(door: Door, upstream: Upstream, behaviour: str) -> None:
    door.open(ping=0.04)
    upstream.plan(behaviour)
    call = door.call(stream=True)
    reply = door.ask(call)
    assert (reply.status, dict(reply.headers)["content-type"]) == (200, "text/event-stream; charset=utf-8")
    blocks = list(reply.body)  # type: ignore[arg-type]
    reply.body.close()  # type: ignore[union-attr]
    assert blocks[0] == blocks[1] == PING
    assert blocks[-1].endswith(b"data: [DONE]\n\n")


def test_pings_while_a_named_time_is_waited_out(door: Door, upstream: Upstream) -> None:
    door.open(ping=0.05)
    upstream.plan("retry-ms-600")
    blocks = door.blocks(door.call(stream=True))
    assert blocks.count(PING) >= 2
    assert blocks[-1].endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(("model", "path"), FAMILIES)
def test_a_failure_after_pings_is_an_event(door: Door, upstream: Upstream, model: str, path: Path) -> None:
    door.open("[defaults]\nattempts = 1\n", ping=0.04)

    def late(call: Seen) -> Steps:
        yield Wait(0.1)
        yield Send(b"HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}")

    upstream.plan(Behaviour("late", late))
    raw = door.stream(model, path)
    assert raw.startswith(PING)
    assert_ends_in_error(raw.replace(PING, b""), path, "upstream_error", 502)


def test_after_pings_another_place_may_still_answer(door: Door, upstream: Upstream) -> None:
    door.open(
        '[models.m]\ntargets = ["openai/a"]\nfallbacks = ["openai/b"]\ntimeouts = { first_byte = 0.1 }\n', ping=0.04
    )
    upstream.plan("silent")
    assert door.stream("m").endswith(b"data: [DONE]\n\n")
    assert [call.model for call in upstream.calls] == ["a", "b"]


def test_a_whole_answer_where_events_were_promised_is_an_error(door: Door, upstream: Upstream) -> None:
    door.open(ping=0.04)
    whole = Behaviour("whole", lambda call: iter([Wait(0.1), Send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")]))
    upstream.plan(whole)
    raw = door.stream().replace(PING, b"")
    assert_ends_in_error(raw, CHAT, "upstream_invalid_response", 502)


def test_sound_gets_no_pings(door: Door, upstream: Upstream) -> None:
    door.open(ping=0.03)
    upstream.plan("slow-middle-0.2")
    raw = b"".join(door.blocks(door.call("openai/tts", SPEECH)))
    assert raw == bytes(upstream.calls[0].payload)


# ---- leaving ----


def closed(door: Door, call: Call, after: int) -> None:
    """The server stops reading after so many blocks, as it does when a write fails."""
    reply = door.ask(call)
    for _, _ in zip(range(after), reply.body, strict=False):  # type: ignore[arg-type]
        pass
    reply.body.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("model", ["openai/m", "anthropic/m"])
def test_closing_a_stream_ends_the_vendors_work(door: Door, upstream: Upstream, after: int, model: str) -> None:
    upstream.plan("stream-200-0.01")
    call = door.call(model, stream=True)
    closed(door, call, after)
    upstream.wait(lambda upstream: upstream.cancelled)
    assert (call.record.gone, call.record.settled) == (True, True)


def test_closing_one_that_only_pinged_does_too(door: Door, upstream: Upstream) -> None:
    door.open(ping=0.02)
    upstream.plan("silent")
    call = door.call(stream=True)
    closed(door, call, 2)
    upstream.wait(lambda upstream: upstream.cancelled)
    assert call.record.gone


@pytest.mark.parametrize("behaviour", ["silent-stream-2", "silent-half-2"])
def test_a_caller_who_leaves_in_a_silence_is_noticed(door: Door, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    call = door.call(stream=True)
    leave_soon(call, 0.1, content=True)
    door.blocks(call)
    upstream.wait(lambda upstream: upstream.cancelled)
    assert (call.record.gone, call.record.error, door.tally.failures) == (True, None, [])


def test_a_caller_who_leaves_among_pings_is_noticed(door: Door, upstream: Upstream) -> None:
    door.open(ping=0.02)
    upstream.plan("silent")
    call = door.call(stream=True)
    leave_soon(call, 0.1)
    assert set(door.blocks(call)) == {PING}
    upstream.wait(lambda upstream: upstream.cancelled)
    assert call.record.gone


@pytest.mark.parametrize(("model", "path"), FAMILIES)
@pytest.mark.parametrize("behaviour", ["silent-stream-2", "silent-half-2", "stream-200-0.02"])
def test_a_server_that_can_wait_no_longer_says_so(
    door: Door, upstream: Upstream, model: str, path: Path, behaviour: str
) -> None:
    upstream.plan(behaviour)
    call = door.call(model, path, stream=True)
    end_soon(call, 0.1, content=True)
    assert_ends_in_error(b"".join(door.blocks(call)), path, "shutting_down", 503)
    upstream.wait(lambda upstream: upstream.cancelled)
    assert (call.record.gone, call.record.status, door.tally.failures) == (False, 503, [])
    assert len(upstream.calls) == 1


def test_and_so_it_does_among_pings(door: Door, upstream: Upstream) -> None:
    door.open(ping=0.02)
    upstream.plan("silent")
    call = door.call(stream=True)
    end_soon(call, 0.1)
    *pings, last = door.blocks(call)
    assert set(pings) == {PING}
    assert_ends_in_error(last, CHAT, "shutting_down", 503)


def test_and_what_is_no_stream_of_events_is_broken_off(door: Door, upstream: Upstream) -> None:
    upstream.plan("slow-middle-60")
    call = door.call("openai/m", SPEECH)
    end_soon(call, 0.1, content=True)
    with pytest.raises(ConnectionResetError):
        door.blocks(call)
    assert (call.record.error, door.tally.failures) == ("shutting_down", [])


def test_what_was_counted_until_then_is_kept(door: Door, upstream: Upstream) -> None:
    upstream.plan("silent-stream-2")
    call = door.call("anthropic/m", MESSAGE, stream=True)
    leave_soon(call, 0.1, content=True)
    door.blocks(call)
    assert door.tally.used["input"] == 21


def test_closing_twice_settles_once(door: Door, upstream: Upstream) -> None:
    call = door.call(stream=True)
    reply = door.ask(call)
    list(reply.body)
    for _ in range(2):
        reply.body.close()  # type: ignore[union-attr]
    assert (door.tally.used["input"], door.tally.open_streams, call.record.gone) == (21, 0, False)


def test_reading_on_after_the_end_gives_nothing(door: Door, upstream: Upstream) -> None:
    reply = door.ask(door.call(stream=True))
    blocks = iter(reply.body)  # type: ignore[arg-type]
    list(blocks)
    assert list(blocks) == []
    reply.body.close()  # type: ignore[union-attr]


def test_many_streams_at_once(door: Door, upstream: Upstream) -> None:
    def read(number: int) -> bytes:
        return door.stream(f"openai/stream-{number + 1}-0.005")

    reading = [gevent.spawn(read, number) for number in range(20)]
    gevent.joinall(reading, timeout=30)
    assert [greenlet.value.count(b'"content":"') - 1 for greenlet in reading] == list(range(1, 21))
