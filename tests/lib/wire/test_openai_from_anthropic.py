"""Messages, whole and streamed, for OpenAI clients."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import VendorError, VendorOverloaded, VendorProtocolError
from lib.wire.openai_from_anthropic import finish_reason, to_completion
from lib.wire.openai_from_anthropic_stream import CompletionStream
from lib.wire.sse import DONE, complete, events
from tests.lib.wire.junk import cut
from tests.lib.wire.streams import (
    ANTHROPIC,
    MESSAGE_STOP,
    OPENAI_FROM_ANTHROPIC,
    chunk,
    delta,
    message_delta,
    message_start,
    sse,
    start,
    stop,
)

USAGE = {"input_tokens": 12, "output_tokens": 6}
MESSAGE: dict[str, Any] = {
    "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hi! I'm Claude."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 2095,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 7,
        "output_tokens": 503,
    },
}


def answer(content: list[Any], reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    choice: dict[str, Any] = to_completion({**MESSAGE, "content": content, "stop_reason": reason, **more}, 0)[
        "choices"
    ][0]
    return choice


def test_a_whole_message() -> None:
    assert to_completion(MESSAGE, 1700000000) == {
        "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "claude-sonnet-4-5-20250929",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi! I'm Claude.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 2107,
            "completion_tokens": 503,
            "total_tokens": 2610,
            "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 7},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
        (None, "stop"),
        (5, "stop"),
    ],
)
def test_finish_reasons(reason: Any, expected: str) -> None:
    assert finish_reason(reason) == expected


def test_thinking_text_and_parallel_calls() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm. ", "signature": "x"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "I'll "},
        {"type": "text", "text": "look.", "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Zürich"}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
    ]
    assert answer(content, "tool_use") == {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "I'll look.",
            "refusal": None,
            "reasoning_content": "Hm. ",
            "tool_calls": [
                {
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Zürich"}'},
                },
                {"id": "toolu_2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        "logprobs": None,
        "finish_reason": "tool_calls",
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [([], ""), ([{"type": "tool_use", "id": "t", "name": "f", "input": {}}], None)],
)
def test_content_is_null_only_beside_calls(content: list[Any], expected: str | None) -> None:
    assert answer(content)["message"]["content"] == expected


def test_a_refusal_is_explained() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not that."}
    choice = answer([], "refusal", stop_details=details)
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"]["refusal"] == "Not that."


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"type": "error", "error": {"type": "api_error", "message": "Internal"}}, VendorError),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, VendorOverloaded),
        ({}, VendorProtocolError),
        ({"type": "completion"}, VendorProtocolError),
        ({"type": "message", "content": "text"}, VendorProtocolError),
        ({"type": "message", "content": [{"type": "tool_use", "id": "t"}]}, VendorProtocolError),
    ],
)
def test_what_is_no_message(body: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        to_completion(body, 0)


def stream(*, include_usage: bool = False) -> CompletionStream:
    return CompletionStream(include_usage=include_usage, created=1700000000, model="fallback")


def run(raw: bytes, translator: CompletionStream) -> bytes:
    return b"".join(translator.feed(event) for event in events(raw))


def bodies(out: bytes) -> list[Any]:
    return [msgspec.json.decode(event.data) for event in events(out) if event.data != b"[DONE]"]


def test_the_frozen_stream() -> None:
    translator = stream(include_usage=True)
    assert run(ANTHROPIC, translator) == OPENAI_FROM_ANTHROPIC
    assert translator.started
    assert translator.complete
    assert translator.finish() == b""
    assert run(ANTHROPIC, translator) == b""


def test_without_include_usage_there_is_no_trace_of_usage() -> None:
    out = run(ANTHROPIC, stream())
    assert b'"usage"' not in out
    assert out.endswith(DONE)
    assert all(body["choices"] for body in bodies(out))


def test_every_chunk_has_the_same_id_time_and_model() -> None:
    heads = {
        (body["id"], body["created"], body["model"]) for body in bodies(run(ANTHROPIC, stream(include_usage=True)))
    }
    assert heads == {("msg_01", 1700000000, "claude-sonnet-4-5")}


@given(st.data())
def test_the_stream_may_be_cut_anywhere(data: st.DataObject) -> None:
    translator = stream(include_usage=True)
    out, buffer = b"", bytearray()
    for piece in cut(data.draw, ANTHROPIC):
        buffer += piece
        ready = complete(buffer)
        out += run(bytes(buffer[:ready]), translator)
        del buffer[:ready]
    assert out == OPENAI_FROM_ANTHROPIC


def test_nothing_has_started_before_the_first_content() -> None:
    translator = stream()
    first = run(sse(message_start(USAGE), start(0, type="text", text=""), {"type": "ping"}), translator)
    assert bodies(first) == [chunk({"role": "assistant", "content": "", "refusal": None})]
    assert not translator.started
    run(sse(delta(0, type="text_delta", text="x")), translator)
    assert translator.started
    assert not translator.complete


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
def test_finish_closes_a_stream_that_lacks_its_last_event(reason: str) -> None:
    translator = stream(include_usage=True)
    run(sse(message_start(USAGE), message_delta(reason, {"output_tokens": 9})), translator)
    out = translator.finish()
    assert out.endswith(DONE)
    assert [body["usage"]["total_tokens"] for body in bodies(out)] == [21]
    assert not translator.complete
    assert translator.finish() == b""


def test_finish_ends_with_a_finish_reason_in_any_case() -> None:
    translator = stream()
    run(sse(message_start(USAGE), start(0, type="tool_use", id="t", name="f", input={})), translator)
    assert bodies(translator.finish()) == [
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        chunk({}, "stop"),
    ]


def test_blocks_that_begin_with_their_content() -> None:
    out = run(
        sse(
            message_start(USAGE),
            start(0, type="text", text="Hi"),
            stop(0),
            start(1, type="tool_use", id="t", name="f", input={"a": 1}),
            stop(1),
            start(2, type="server_tool_use", id="s", name="web_search", input={}),
            delta(2, type="input_json_delta", partial_json="{}"),
            stop(2),
            message_delta("tool_use", {}),
            MESSAGE_STOP,
        ),
        stream(),
    )
    deltas = [body["choices"][0]["delta"] for body in bodies(out)]
    function = {"name": "f", "arguments": '{"a":1}'}
    assert deltas == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Hi"},
        {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": function}]},
        {},
    ]


def test_a_refusal_is_explained_in_a_stream() -> None:
    details = {"type": "refusal", "explanation": "Not that."}
    out = run(sse(message_start(USAGE), message_delta("refusal", {}, stop_details=details), MESSAGE_STOP), stream())
    assert bodies(out)[-1] == chunk({"refusal": "Not that."}, "content_filter")


def test_a_message_without_a_model_shows_the_one_asked_for() -> None:
    out = run(sse(message_start(USAGE, model=None)), stream())
    assert bodies(out)[0]["model"] == "fallback"


@pytest.mark.parametrize(
    ("kind", "error"), [("overloaded_error", VendorOverloaded), ("api_error", VendorError), (None, VendorError)]
)
def test_an_error_event_is_raised(kind: str | None, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        run(sse({"type": "error", "error": {"type": kind, "message": "Their words"}}, named=True), stream())
    assert "Their words" in caught.value.detail  # type: ignore[attr-defined]
    assert "Their words" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"data: {\n\n",
        b"data: []\n\n",
        sse(delta(0, type="input_json_delta", partial_json="x")).replace(b'"index":0,', b""),
        sse(start(0, type="tool_use", id="t")),
    ],
)
def test_junk_is_a_protocol_error(raw: bytes) -> None:
    with pytest.raises(VendorProtocolError):
        run(raw, stream())
