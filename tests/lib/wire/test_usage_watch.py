"""Usage in passing streams: where each dialect keeps it, and how little is looked at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lib.wire.paths import Dialect, Shape
from lib.wire.sse import DONE, PING, encode
from lib.wire.usage import Usage
from lib.wire.usage_watch import UsageWatch, merge


def event(body: Any, name: str | None = None) -> bytes:
    return encode(msgspec.json.encode(body), name)


def chunk(usage: Any, choices: list[Any] | None = None) -> bytes:
    return event({"id": "c", "model": "gpt-4o-2024", "choices": choices or [], "usage": usage})


def watch(*blocks: bytes, dialect: Dialect = Dialect.OPENAI, shape: Shape = Shape.CHAT) -> UsageWatch:
    watcher = UsageWatch(dialect, shape)
    for block in blocks:
        watcher.see(block)
    return watcher


def used(watcher: UsageWatch) -> tuple[int, int] | None:
    return (watcher.usage.input_tokens, watcher.usage.output_tokens) if watcher.usage else None


USED = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
DELTA = [{"index": 0, "delta": {"content": 'the "usage": {'}}]


@pytest.mark.parametrize(
    "blocks",
    [
        [chunk(None, DELTA), chunk(USED), DONE],
        [chunk(None, DELTA) + chunk(USED) + DONE],
        [chunk(USED) + chunk(None, DELTA) + DONE],
        [chunk(USED, DELTA), DONE],
        [chunk({"prompt_tokens": 5, "completion_tokens": 1}, DELTA), chunk(USED, DELTA), DONE],
        [chunk({"prompt_tokens": 5, "completion_tokens": 1}, DELTA) + chunk(USED, DELTA) + DONE],
        [chunk(USED), b'data: {"usage": {"prompt_tokens": 9\n\n', b'data: {"usage": {}, "model": {"a": "\xff"}}\n\n'],
        [chunk(USED).replace(b'"usage":', b'"usage" : '), PING],
        [chunk(USED).replace(b"\n", b"\r\n")],
    ],
)
def test_chat_keeps_the_last_usage_whatever_its_choices(blocks: list[bytes]) -> None:
    watcher = watch(*blocks)
    assert used(watcher) == (5, 7)
    assert watcher.model == "gpt-4o-2024"
    assert watcher.final


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [chunk(None, DELTA), DONE],
        [chunk("usage")],
        [b'data: "usage":{\n\n'],
        [b'data: {"usage":{"a":' + b"[" * 100_000 + b"\n\n"],
        [event([{"usage": {}}])],
    ],
)
def test_without_a_readable_usage_there_is_none(blocks: list[bytes]) -> None:
    assert watch(*blocks).usage is None


@pytest.mark.parametrize("name", ["response.completed", "response.incomplete", "response.failed"])
def test_responses_keep_it_inside_the_response(name: str) -> None:
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
    watcher = watch(
        event({"type": "response.created", "response": {"model": "gpt-5", "usage": None}}, "response.created"),
        event({"type": name, "response": {"model": "gpt-5", "usage": usage}}, name),
        shape=Shape.RESPONSE,
    )
    assert used(watcher) == (5, 7)
    assert watcher.model == "gpt-5"


@pytest.mark.parametrize(
    ("shape", "name"),
    [(Shape.IMAGE, "image_generation.completed"), (Shape.TRANSCRIPTION, "transcript.text.done")],
)
def test_images_and_transcriptions_keep_it_at_the_top(shape: Shape, name: str) -> None:
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}
    assert used(watch(event({"type": name, "usage": usage}, name), shape=shape)) == (5, 7)


def message_start(usage: dict[str, Any]) -> bytes:
    body = {"type": "message_start", "message": {"id": "m", "model": "claude", "content": [], "usage": usage}}
    return event(body, "message_start")


def message_delta(usage: dict[str, Any]) -> bytes:
    return event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}, "message_delta")


START = {
    "input_tokens": 9,
    "cache_creation_input_tokens": 20,
    "cache_read_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 1,
}


@pytest.mark.parametrize(
    "delta",
    [
        {"output_tokens": 15},
        {"output_tokens": 15, "input_tokens": 0, "cache_read_input_tokens": None},
        {"output_tokens": 15, "input_tokens": 9, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 30},
    ],
)
def test_anthropic_merges_the_start_with_the_cumulative_delta(delta: dict[str, Any]) -> None:
    expected = Usage(9, 15, 30, 0, 20, 0, {**START, "output_tokens": 15})
    for blocks in ([message_start(START), message_delta(delta)], [message_start(START) + message_delta(delta)]):
        watcher = watch(*blocks, dialect=Dialect.ANTHROPIC, shape=Shape.MESSAGE)
        assert watcher.usage == expected
        assert watcher.model == "claude"
        assert watcher.final


def test_an_anthropic_stream_that_was_cut_has_a_count_that_is_not_final() -> None:
    watcher = watch(message_start(START), dialect=Dialect.ANTHROPIC, shape=Shape.MESSAGE)
    assert used(watcher) == (9, 1)
    assert not watcher.final


def test_merge_takes_new_keys_and_the_larger_count() -> None:
    assert merge({"a": 1, "b": {"x": 1}, "c": 5}, {"a": 3, "b": {"x": 2}, "c": None, "d": 4}) == {
        "a": 3,
        "b": {"x": 2},
        "c": 5,
        "d": 4,
    }
