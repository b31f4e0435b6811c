"""One frozen stream for each dialect, and what each is in the other.

All tell the same story: thinking, a text in two pieces, two tool calls, the
second without arguments. They follow the vendors' documented examples
(Anthropic "Streaming messages", OpenAI "The chat completion chunk object",
Amazon Bedrock "ConverseStreamOutput").
"""

from __future__ import annotations

from typing import Any

import msgspec

from lib.wire.sse import DONE, encode


def sse(*bodies: dict[str, Any], named: bool = False) -> bytes:
    """Events, each named by its type if wanted."""
    return b"".join(encode(msgspec.json.encode(body), body["type"] if named else None) for body in bodies)


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chat completion chunk; without a delta one with no choices."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "msg_01",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "claude-sonnet-4-5",
        "choices": [] if delta is None else [choice],
        **more,
    }


def call(index: int, arguments: str, identifier: str | None = None, name: str | None = None) -> dict[str, Any]:
    """A delta with a fragment of a tool call."""
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    head = {} if identifier is None else {"id": identifier, "type": "function"}
    return {"tool_calls": [{"index": index, **head, "function": function}]}


def delta(index: int, **fields: Any) -> dict[str, Any]:
    """A content_block_delta."""
    return {"type": "content_block_delta", "index": index, "delta": fields}


def start(index: int, **block: Any) -> dict[str, Any]:
    """A content_block_start."""
    return {"type": "content_block_start", "index": index, "content_block": block}


def stop(index: int) -> dict[str, Any]:
    """A content_block_stop."""
    return {"type": "content_block_stop", "index": index}


def message_start(usage: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The first event of a message."""
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
        **more,
    }
    return {"type": "message_start", "message": message}


def message_delta(reason: str, usage: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The last event but one."""
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None, **more},
        "usage": usage,
    }


def counted(plain: int, read: int, write: int, output: int) -> dict[str, Any]:
    """A usage object as we write it for Anthropic's clients."""
    return {
        "input_tokens": plain,
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
    }


MESSAGE_STOP = {"type": "message_stop"}
NOTHING = counted(0, 0, 0, 0)

ANTHROPIC = sse(
    message_start({"input_tokens": 472, "cache_read_input_tokens": 100, "output_tokens": 2}),
    start(0, type="thinking", thinking="", signature=""),
    {"type": "ping"},
    delta(0, type="thinking_delta", thinking="Weather, "),
    delta(0, type="thinking_delta", thinking="then time."),
    delta(0, type="signature_delta", signature="EqQBCgIYAhIM"),
    stop(0),
    start(1, type="text", text=""),
    delta(1, type="text_delta", text="Okay"),
    delta(1, type="text_delta", text=", let's see."),
    stop(1),
    start(2, type="tool_use", id="toolu_01", name="get_weather", input={}),
    delta(2, type="input_json_delta", partial_json=""),
    delta(2, type="input_json_delta", partial_json='{"location":'),
    delta(2, type="input_json_delta", partial_json=' "Oslo"}'),
    stop(2),
    start(3, type="tool_use", id="toolu_02", name="now", input={}),
    delta(3, type="input_json_delta", partial_json=""),
    stop(3),
    message_delta("tool_use", {"output_tokens": 89}),
    MESSAGE_STOP,
    named=True,
)
"""Anthropic's stream, as the vendor sends it."""

OPENAI_FROM_ANTHROPIC = (
    sse(
        chunk({"role": "assistant", "content": "", "refusal": None}, usage=None),
        chunk({"reasoning_content": "Weather, "}, usage=None),
        chunk({"reasoning_content": "then time."}, usage=None),
        chunk({"content": "Okay"}, usage=None),
        chunk({"content": ", let's see."}, usage=None),
        chunk(call(0, "", "toolu_01", "get_weather"), usage=None),
        chunk(call(0, '{"location":'), usage=None),
        chunk(call(0, ' "Oslo"}'), usage=None),
        chunk(call(1, "", "toolu_02", "now"), usage=None),
        chunk(call(1, "{}"), usage=None),
        chunk({}, "tool_calls", usage=None),
        chunk(
            usage={
                "prompt_tokens": 572,
                "completion_tokens": 89,
                "total_tokens": 661,
                "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            }
        ),
    )
    + DONE
)
"""`ANTHROPIC` for an OpenAI client that asked for usage."""

OPENAI = (
    sse(
        chunk({"role": "assistant", "content": "", "refusal": None}, usage=None),
        chunk({"reasoning_content": "Weather, "}, usage=None),
        chunk({"reasoning_content": "then time."}, usage=None),
        chunk({"content": "Okay"}, usage=None),
        chunk({"content": ", let's see."}, usage=None),
        chunk(call(0, "", "call_01", "get_weather"), usage=None),
        chunk(call(0, '{"location":'), usage=None),
        chunk(call(0, ' "Oslo"}'), usage=None),
        chunk(call(1, "", "call_02", "now"), usage=None),
        chunk(call(1, "{}"), usage=None),
        chunk({}, "tool_calls", usage=None),
        chunk(
            usage={
                "prompt_tokens": 572,
                "completion_tokens": 89,
                "total_tokens": 661,
                "prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            }
        ),
    )
    + DONE
)
"""OpenAI's stream, as the vendor sends it."""

ANTHROPIC_FROM_OPENAI = sse(
    message_start(NOTHING),
    start(0, type="thinking", thinking="", signature=""),
    delta(0, type="thinking_delta", thinking="Weather, "),
    delta(0, type="thinking_delta", thinking="then time."),
    stop(0),
    start(1, type="text", text=""),
    delta(1, type="text_delta", text="Okay"),
    delta(1, type="text_delta", text=", let's see."),
    stop(1),
    start(2, type="tool_use", id="call_01", name="get_weather", input={}),
    delta(2, type="input_json_delta", partial_json='{"location":'),
    delta(2, type="input_json_delta", partial_json=' "Oslo"}'),
    stop(2),
    start(3, type="tool_use", id="call_02", name="now", input={}),
    delta(3, type="input_json_delta", partial_json="{}"),
    stop(3),
    message_delta("tool_use", counted(472, 100, 0, 89)),
    MESSAGE_STOP,
    named=True,
)
"""`OPENAI` for an Anthropic client."""

CONVERSE: list[dict[str, Any]] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Weather, "}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "then time."}}}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "EqQBCgIYAhIM"}}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "Okay"}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": ", let's see."}}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"contentBlockStart": {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t_01", "name": "get_weather"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"location":'}}}},
    {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"toolUse": {"input": ' "Oslo"}'}}}},
    {"contentBlockStop": {"contentBlockIndex": 2}},
    {"contentBlockStart": {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t_02", "name": "now"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 3, "delta": {"toolUse": {"input": ""}}}},
    {"contentBlockStop": {"contentBlockIndex": 3}},
    {"messageStop": {"stopReason": "tool_use"}},
    {
        "metadata": {
            "usage": {"inputTokens": 472, "outputTokens": 89, "totalTokens": 661, "cacheReadInputTokens": 100},
            "metrics": {"latencyMs": 800},
        }
    },
]
"""Bedrock's stream, as boto3 hands it on."""

ANTHROPIC_FROM_CONVERSE = sse(
    message_start(NOTHING, id="msg_r1", model="bedrock/claude"),
    start(0, type="thinking", thinking="", signature=""),
    delta(0, type="thinking_delta", thinking="Weather, "),
    delta(0, type="thinking_delta", thinking="then time."),
    delta(0, type="signature_delta", signature="EqQBCgIYAhIM"),
    stop(0),
    start(1, type="text", text=""),
    delta(1, type="text_delta", text="Okay"),
    delta(1, type="text_delta", text=", let's see."),
    stop(1),
    start(2, type="tool_use", id="t_01", name="get_weather", input={}),
    delta(2, type="input_json_delta", partial_json='{"location":'),
    delta(2, type="input_json_delta", partial_json=' "Oslo"}'),
    stop(2),
    start(3, type="tool_use", id="t_02", name="now", input={}),
    stop(3),
    message_delta("tool_use", counted(472, 100, 0, 89)),
    MESSAGE_STOP,
    named=True,
)
"""`CONVERSE` for an Anthropic client."""
