"""Chat completions, whole and streamed, for Anthropic clients."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import RateLimited, VendorError, VendorOverloaded, VendorProtocolError
from lib.wire.anthropic_from_openai import stop_reason, to_message
from lib.wire.anthropic_from_openai_stream import MessageStream
from lib.wire.sse import DONE, complete, events
from tests.lib.wire.junk import cut
from tests.lib.wire.streams import (
    ANTHROPIC_FROM_OPENAI,
    MESSAGE_STOP,
    NOTHING,
    OPENAI,
    call,
    chunk,
    counted,
    delta,
    message_delta,
    message_start,
    sse,
    start,
    stop,
)

COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "gpt-4.1-2025-04-14",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello!", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}


def answer(message: dict[str, Any], finish: Any = "stop") -> dict[str, Any]:
    return to_message({**COMPLETION, "choices": [{"index": 0, "message": message, "finish_reason": finish}]})


def tool_call(identifier: Any, name: str, arguments: str) -> dict[str, Any]:
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_a_whole_completion() -> None:
    assert to_message(COMPLETION) == {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "type": "message",
        "role": "assistant",
        "model": "gpt-4.1-2025-04-14",
        "content": [{"type": "text", "text": "Hello!"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {**counted(15, 4, 0, 10), "output_tokens_details": {"thinking_tokens": 3}},
    }


@pytest.mark.parametrize(
    ("finish", "calls", "refused", "expected"),
    [
        ("stop", False, False, "end_turn"),
        ("stop", True, False, "tool_use"),
        ("stop", False, True, "refusal"),
        ("length", False, False, "max_tokens"),
        ("length", True, False, "max_tokens"),
        ("tool_calls", True, False, "tool_use"),
        ("function_call", True, False, "tool_use"),
        ("content_filter", False, False, "refusal"),
        ("eos", False, False, "end_turn"),
        (None, True, False, "tool_use"),
        (5, False, False, "end_turn"),
    ],
)
def test_stop_reasons(finish: Any, calls: bool, refused: bool, expected: str) -> None:
    assert stop_reason(finish, calls=calls, refused=refused) == expected


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_text_and_parallel_calls(field: str) -> None:
    calls = [tool_call("call_1", "get_weather", '{"city": "Oslo"}'), tool_call("functions.now:1", "now", "")]
    message = {"role": "assistant", "content": "I'll look.", field: "Hm.", "tool_calls": calls}
    result = answer(message, "tool_calls")
    assert result["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "I'll look."},
        {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Oslo"}},
        {"type": "tool_use", "id": "functions_now_1", "name": "now", "input": {}},
    ]
    assert result["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("message", "content", "reason"),
    [
        ({"content": None}, [], "end_turn"),
        ({"content": ""}, [], "end_turn"),
        ({"content": None, "refusal": "I can't."}, [{"type": "text", "text": "I can't."}], "refusal"),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            [{"type": "text", "text": "ab"}],
            "end_turn",
        ),
        (
            {"content": None, "tool_calls": [tool_call("", "f", "{}")]},
            [{"type": "tool_use", "id": "call_chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT_0", "name": "f", "input": {}}],
            "tool_use",
        ),
    ],
)
def test_messages(message: dict[str, Any], content: list[Any], reason: str) -> None:
    result = answer({"role": "assistant", **message})
    assert result["content"] == content
    assert result["stop_reason"] == reason


def test_arguments_that_the_token_limit_cut_are_no_arguments() -> None:
    result = answer({"content": None, "tool_calls": [tool_call("c", "f", '{"city": "Os')]}, "length")
    assert result["content"] == [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]
    assert result["stop_reason"] == "max_tokens"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"error": {"message": "Internal", "code": 500}}, VendorError),
        ({"error": {"message": "Slow", "code": 429}}, RateLimited),
        ({}, VendorProtocolError),
        ({"choices": []}, VendorProtocolError),
        ({"choices": "text"}, VendorProtocolError),
        ({"choices": [{"message": {"tool_calls": [tool_call("c", "f", "{")]}}]}, VendorProtocolError),
        ({"choices": [{"message": {"tool_calls": [tool_call("c", "f", "[]")]}}]}, VendorProtocolError),
        ({"choices": [{"message": {"tool_calls": [{"id": "c"}]}}]}, VendorProtocolError),
        ({"choices": [{"message": {"tool_calls": "f"}}]}, VendorProtocolError),
    ],
)
def test_what_is_no_completion(body: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        to_message(body)


def run(raw: bytes, translator: MessageStream) -> bytes:
    return b"".join(translator.feed(event) for event in events(raw))


def content_of(*chunks: Any, usage: dict[str, Any] = NOTHING, reason: str = "tool_use") -> list[Any]:
    """What a stream of chunks becomes, without the first event and the last two, which are checked."""
    out = run(sse(*chunks) + DONE, MessageStream(model="fallback"))
    first, *rest, last_but_one, last = [msgspec.json.decode(event.data) for event in events(out)]
    assert first == message_start(NOTHING)
    assert last_but_one == message_delta(reason, usage)
    assert last == MESSAGE_STOP
    return rest


def test_the_frozen_stream() -> None:
    translator = MessageStream(model="fallback")
    assert run(OPENAI, translator) == ANTHROPIC_FROM_OPENAI
    assert translator.started
    assert translator.complete
    assert translator.finish() == b""
    assert run(OPENAI, translator) == b""


@given(st.data())
def test_the_stream_may_be_cut_anywhere(data: st.DataObject) -> None:
    translator = MessageStream(model="fallback")
    out, buffer = b"", bytearray()
    for piece in cut(data.draw, OPENAI):
        buffer += piece
        ready = complete(buffer)
        out += run(bytes(buffer[:ready]), translator)
        del buffer[:ready]
    assert out == ANTHROPIC_FROM_OPENAI


def test_nothing_has_started_before_the_first_content() -> None:
    translator = MessageStream(model="fallback")
    assert run(sse(chunk({"role": "assistant", "content": ""})), translator) == sse(message_start(NOTHING), named=True)
    assert not translator.started
    run(sse(chunk({"content": "x"})), translator)
    assert translator.started
    assert not translator.complete


def test_calls_that_take_turns_leave_one_after_the_other() -> None:
    assert content_of(
        chunk({"content": "Look: "}),
        chunk({"tool_calls": call(0, "", "c0", "f")["tool_calls"] + call(1, "", "c1", "g")["tool_calls"]}),
        chunk(call(0, '{"a"')),
        chunk(call(1, '{"b"')),
        chunk(call(0, ":1}")),
        chunk(call(1, ":2}")),
        chunk({}, "tool_calls"),
    ) == [
        start(0, type="text", text=""),
        delta(0, type="text_delta", text="Look: "),
        stop(0),
        start(1, type="tool_use", id="c0", name="f", input={}),
        delta(1, type="input_json_delta", partial_json='{"a"'),
        delta(1, type="input_json_delta", partial_json=":1}"),
        stop(1),
        start(2, type="tool_use", id="c1", name="g", input={}),
        delta(2, type="input_json_delta", partial_json='{"b":2}'),
        stop(2),
    ]


def test_calls_that_wait_leave_at_the_end_at_the_latest() -> None:
    calls = chunk({"tool_calls": call(0, "", "c0", "f")["tool_calls"] + call(1, "{}", "c1", "g")["tool_calls"]})
    assert content_of(calls, chunk({}, "stop")) == [
        start(0, type="tool_use", id="c0", name="f", input={}),
        stop(0),
        start(1, type="tool_use", id="c1", name="g", input={}),
        delta(1, type="input_json_delta", partial_json="{}"),
        stop(1),
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        [call(0, '{"a":1}', "c0", "f"), call(0, '{"b":2}', "c1", "g")],
        [
            {"tool_calls": [{"id": "c0", "function": {"name": "f", "arguments": '{"a":1}'}}]},
            {"tool_calls": [{"id": "c1", "function": {"name": "g", "arguments": '{"b":2}'}}]},
        ],
        [call(0, '{"a":1}', "c0", "f"), call(0, "", "c0", "f"), call(1, '{"b":2}', "c1", "g")],
    ],
    ids=["one index for all", "no index", "id and name repeated"],
)
def test_vendors_that_number_their_calls_otherwise(pieces: list[Any]) -> None:
    assert content_of(*[chunk(piece) for piece in pieces], chunk({}, "tool_calls")) == [
        start(0, type="tool_use", id="c0", name="f", input={}),
        delta(0, type="input_json_delta", partial_json='{"a":1}'),
        stop(0),
        start(1, type="tool_use", id="c1", name="g", input={}),
        delta(1, type="input_json_delta", partial_json='{"b":2}'),
        stop(1),
    ]


def test_calls_without_an_id_get_one_of_their_own() -> None:
    pieces = [{"tool_calls": [{"function": {"name": name, "arguments": "{}"}}]} for name in "fg"]
    blocks = content_of(*[chunk(piece) for piece in pieces], chunk({}, "tool_calls"))
    assert [block["content_block"]["id"] for block in blocks if "content_block" in block] == [
        "call_msg_01_0",
        "call_msg_01_1",
    ]


def test_text_after_a_call_has_a_block_of_its_own() -> None:
    assert content_of(chunk(call(0, "{}", "c", "f")), chunk({"content": "Done"}), chunk({}, "stop")) == [
        start(0, type="tool_use", id="c", name="f", input={}),
        delta(0, type="input_json_delta", partial_json="{}"),
        stop(0),
        start(1, type="text", text=""),
        delta(1, type="text_delta", text="Done"),
        stop(1),
    ]


def test_a_refusal_is_text_and_a_stop_reason() -> None:
    assert content_of(chunk({"refusal": "I "}), chunk({"refusal": "can't."}, "stop"), reason="refusal") == [
        start(0, type="text", text=""),
        delta(0, type="text_delta", text="I "),
        delta(0, type="text_delta", text="can't."),
        stop(0),
    ]


def test_other_choices_and_chunks_without_any_are_left_out() -> None:
    other = chunk({"content": "b"})
    other["choices"][0]["index"] = 1
    filtered = {"id": "", "model": "", "choices": [], "prompt_filter_results": []}
    assert content_of(filtered, chunk({"content": "a"}), other, chunk({}, "length"), reason="max_tokens") == [
        start(0, type="text", text=""),
        delta(0, type="text_delta", text="a"),
        stop(0),
    ]


def test_usage_may_come_with_any_chunk() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 7}
    assert content_of(chunk({}, "stop", usage=usage), usage=counted(5, 0, 0, 7), reason="end_turn") == []


def test_finish_closes_a_stream_that_lacks_its_last_event() -> None:
    translator = MessageStream(model="fallback")
    run(sse(chunk({"content": "x"}), chunk({}, "stop")), translator)
    assert not translator.complete
    expected = sse(stop(0), message_delta("end_turn", NOTHING), MESSAGE_STOP, named=True)
    assert translator.finish() == expected
    assert translator.finish() == b""


def test_finish_without_any_event_is_still_a_message() -> None:
    out = MessageStream(model="m").finish()
    assert [event.name for event in events(out)] == ["message_start", "message_delta", "message_stop"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Their words", "type": "server_error"}, VendorError),
        ({"message": "Their words", "code": 503}, VendorOverloaded),
    ],
)
@pytest.mark.parametrize("beside", [{}, chunk({"content": ""}, "error")], ids=["alone", "beside choices"])
def test_an_error_event_is_raised(error: dict[str, Any], kind: type[Exception], beside: dict[str, Any]) -> None:
    broken = {"error": error, **beside}
    with pytest.raises(kind) as caught:
        run(sse(chunk({"content": "x"}), broken), MessageStream(model="m"))
    assert "Their words" in caught.value.detail  # type: ignore[attr-defined]
    assert "Their words" not in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        b"data: {\n\n",
        b"data: 5\n\n",
        sse({"choices": "x"}),
        sse({"choices": [5]}),
        sse(chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]})),
        sse(chunk(call(0, "{}", "a", "f")), chunk(call(1, "{}", "b", "g")), chunk(call(0, "{}"))),
    ],
)
def test_junk_is_a_protocol_error(raw: bytes) -> None:
    with pytest.raises(VendorProtocolError):
        run(raw, MessageStream(model="m"))
