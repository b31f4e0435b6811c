"""Converse's answers, whole and streamed, as messages."""

from __future__ import annotations

from typing import Any

import pytest

from lib.base.errors import VendorError, VendorOverloaded, VendorProtocolError
from lib.wire.bedrock import to_converse
from lib.wire.bedrock_answer import converse_usage, from_converse, stop_reason
from lib.wire.bedrock_stream import ConverseStream
from lib.wire.sse import events
from lib.wire.usage import Usage
from tests.lib.wire.streams import (
    ANTHROPIC_FROM_CONVERSE,
    CONVERSE,
    MESSAGE_STOP,
    NOTHING,
    counted,
    delta,
    message_delta,
    message_start,
    sse,
    start,
    stop,
)

USAGE = {"inputTokens": 125, "outputTokens": 60, "totalTokens": 185}


def response(content: Any, reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    output = {"message": {"role": "assistant", "content": content}}
    return {"output": output, "stopReason": reason, "usage": USAGE, "metrics": {"latencyMs": 1175}, **more}


def test_a_whole_answer() -> None:
    assert from_converse(response([{"text": "Hello"}]), "bedrock/claude", "r1") == {
        "id": "msg_r1",
        "type": "message",
        "role": "assistant",
        "model": "bedrock/claude",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": counted(125, 0, 0, 60),
    }


BLOCKS = [
    {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
    {"reasoningContent": {"redactedContent": b"\x01\x02\x03"}},
    {"text": "Let me see."},
    {"toolUse": {"toolUseId": "t_1", "name": "get_weather", "input": {"city": "Oslo"}}},
    {"toolUse": {"toolUseId": "t_2", "name": "now", "input": {}}},
]


def test_every_kind_of_block() -> None:
    cited = {"citationsContent": {"content": [{"text": "As "}, {"text": "written."}], "citations": []}}
    answer = from_converse(response([*BLOCKS, cited, {"video": {}}], "tool_use"), "m", "r")
    assert answer["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "AQID"},
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "t_1", "name": "get_weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "t_2", "name": "now", "input": {}},
        {"type": "text", "text": "As written."},
    ]


def test_an_answer_goes_back_as_history_unchanged() -> None:
    answer = from_converse(response(BLOCKS), "m", "r")
    history = {"messages": [{"role": "assistant", "content": answer["content"]}]}
    assert to_converse(history)["messages"] == [{"role": "assistant", "content": BLOCKS}]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "end_turn"),
        ("tool_use", "tool_use"),
        ("max_tokens", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("guardrail_intervened", "refusal"),
        ("content_filtered", "refusal"),
        ("malformed_model_output", "end_turn"),
        ("malformed_tool_use", "end_turn"),
        ("model_context_window_exceeded", "model_context_window_exceeded"),
        ("something_new", "end_turn"),
        (None, "end_turn"),
    ],
)
def test_stop_reasons(reason: Any, expected: str) -> None:
    assert stop_reason(reason) == expected


def test_the_stop_sequence_is_told_when_bedrock_tells_it() -> None:
    answer = response([], "stop_sequence", additionalModelResponseFields={"stop_sequence": "END"})
    assert from_converse(answer, "m", "r")["stop_sequence"] == "END"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (USAGE, Usage(125, 60)),
        ({**USAGE, "cacheReadInputTokens": 30, "cacheWriteInputTokens": 20}, Usage(125, 60, 30, 20)),
        (
            {
                **USAGE,
                "cacheWriteInputTokens": 20,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 15}, {"ttl": "5m", "inputTokens": 5}],
            },
            Usage(125, 60, 0, 5, 15),
        ),
        ({"inputTokens": -1, "outputTokens": "2", "cacheDetails": [5, {"ttl": 5}]}, Usage()),
        ({"cacheDetails": "x"}, Usage()),
        (None, Usage()),
    ],
)
def test_usage(raw: Any, expected: Usage) -> None:
    usage = converse_usage(raw)
    assert (usage.input_tokens, usage.output_tokens) == (expected.input_tokens, expected.output_tokens)
    assert usage.cache_read_tokens == expected.cache_read_tokens
    assert (usage.cache_write_tokens, usage.cache_write_1h_tokens) == (
        expected.cache_write_tokens,
        expected.cache_write_1h_tokens,
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"output": {"message": {"content": "x"}}},
        response([{"toolUse": {"name": "f"}}]),
        response([{"reasoningContent": {"redactedContent": "AQID"}}]),
    ],
)
def test_what_is_no_answer(body: dict[str, Any]) -> None:
    with pytest.raises(VendorProtocolError):
        from_converse(body, "m", "r")


def run(stream: list[dict[str, Any]], translator: ConverseStream) -> bytes:
    return b"".join(translator.feed(event) for event in stream)


def at(index: int, **piece: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": piece}}


def test_the_frozen_stream() -> None:
    translator = ConverseStream("bedrock/claude", "msg_r1")
    assert run(CONVERSE, translator) == ANTHROPIC_FROM_CONVERSE
    assert translator.started
    assert translator.complete
    assert translator.finish() == b""
    assert run(CONVERSE, translator) == b""


def test_nothing_has_started_before_the_first_content() -> None:
    translator = ConverseStream("m", "msg_01")
    assert translator.feed({"messageStart": {"role": "assistant"}})
    assert not translator.started
    assert translator.feed(at(0, text="x"))
    assert translator.started
    assert not translator.complete


def test_encrypted_reasoning_is_a_block_of_its_own() -> None:
    translator = ConverseStream("claude-sonnet-4-5", "msg_01")
    pieces = [at(0, reasoningContent={"redactedContent": b"\x01\x02\x03"}), at(1, text="x")]
    assert run(pieces, translator) == sse(
        message_start(NOTHING),
        start(0, type="redacted_thinking", data="AQID"),
        stop(0),
        start(1, type="text", text=""),
        delta(1, type="text_delta", text="x"),
        named=True,
    )


def test_a_message_start_that_is_missing_is_made_up_for() -> None:
    out = run([at(0, text="x")], ConverseStream("m", "msg_01"))
    names = [event.name for event in events(out)]
    assert names == ["message_start", "content_block_start", "content_block_delta"]


def test_what_has_no_place_is_left_out() -> None:
    translator = ConverseStream("m", "msg_01")
    others = [at(0, citation={"title": "x"}), at(0, text=""), at(0, reasoningContent={}), {"somethingNew": {}}, {}]
    assert run(others, translator) == b""
    assert (
        translator.feed({"contentBlockStart": {"start": {"image": {"format": "png"}}, "contentBlockIndex": 1}}) == b""
    )


def test_finish_closes_a_stream_that_lacks_its_last_event() -> None:
    translator = ConverseStream("m", "msg_01")
    stopped = {
        "messageStop": {"stopReason": "stop_sequence", "additionalModelResponseFields": {"stop_sequence": "END"}}
    }
    run([at(0, text="x"), stopped], translator)
    assert not translator.complete
    expected = message_delta("stop_sequence", NOTHING)
    expected["delta"]["stop_sequence"] = "END"
    assert translator.finish() == sse(stop(0), expected, MESSAGE_STOP, named=True)
    assert translator.finish() == b""


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("internalServerException", VendorError),
        ("modelStreamErrorException", VendorError),
        ("validationException", VendorError),
        ("throttlingException", VendorOverloaded),
        ("serviceUnavailableException", VendorOverloaded),
    ],
)
def test_an_exception_in_the_stream_is_raised(name: str, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        ConverseStream("m", "msg_01").feed({name: {"message": "Their words"}})
    assert caught.value.detail == f"{name}: Their words"  # type: ignore[attr-defined]
    assert "Their words" not in str(caught.value)


@pytest.mark.parametrize(
    "event",
    [
        {"contentBlockStart": {"start": {"toolUse": {"name": "f"}}}},
        at(0, toolUse={"input": "{}"}),
        at(0, reasoningContent={"redactedContent": "text"}),
    ],
)
def test_junk_is_a_protocol_error(event: dict[str, Any]) -> None:
    with pytest.raises(VendorProtocolError):
        ConverseStream("m", "msg_01").feed(event)
