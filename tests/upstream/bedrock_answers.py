"""Answers of Amazon Bedrock's runtime: Converse, ConverseStream, CountTokens, and their errors.

Source: Amazon Bedrock API Reference, "Converse", "ConverseStream", "CountTokens", "Common error types".
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from tests.upstream.event_stream import EVENT_STREAM, event, exception
from tests.upstream.recipe import CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, PROMPT_TOKENS, Recipe, ToolCall, encode, mark
from tests.upstream.recipe import tool_calls as tool_calls_of
from tests.upstream.record import Call
from tests.upstream.steps import Answer, Headers

# status: (the exception's name, words)
ERRORS: dict[int, tuple[str, str]] = {
    400: ("ValidationException", "The value at 'inferenceConfig.temperature' failed to satisfy constraint."),
    403: ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    404: ("ResourceNotFoundException", "The model could not be found."),
    408: ("ModelTimeoutException", "Model has timed out in processing the request."),
    424: ("ModelErrorException", "The system encountered an unexpected error during processing."),
    429: ("ThrottlingException", "Too many requests, please wait before trying again."),
    500: ("InternalServerException", "The system encountered an unexpected error during processing."),
    503: ("ServiceUnavailableException", "Bedrock is unable to process your request."),
}


def headers(call: Call) -> Headers:
    """What the service adds to every answer."""
    return (("x-amzn-RequestId", request_id(call)), ("X-Amzn-Bedrock-Invocation-Latency", "271"))


def request_id(call: Call) -> str:
    """The service's id of the call."""
    return mark(call, "5f2c1d3e-")


def model_of(call: Call) -> str:
    """The model id in the path, decoded."""
    return unquote(call.route.split("/")[2]) if call.route.startswith("/model/") else ""


def converse(call: Call, recipe: Recipe) -> Answer:
    """A whole message."""
    content = _tool_blocks(call) if recipe.tools else [{"text": recipe.text}]
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _stop_reason(recipe),
        "usage": usage(recipe),
        "metrics": {"latencyMs": 271},
    }
    return Answer((encode(body),), headers=headers(call))


def converse_stream(call: Call, recipe: Recipe) -> Answer:
    """A streamed message. Text blocks begin with their first delta, tool blocks with a start."""
    pieces = (
        event("messageStart", {"role": "assistant"}),
        *(_tool_events(call) if recipe.tools else _text_events(recipe)),
        event("messageStop", {"stopReason": _stop_reason(recipe)}),
        event("metadata", {"usage": usage(recipe), "metrics": {"latencyMs": 271}}),
    )
    return Answer(pieces, EVENT_STREAM, headers=headers(call), streamed=True, first=1, gap=recipe.gap)


def count_tokens(call: Call, recipe: Recipe) -> Answer:
    """The size of a prompt, in tokens."""
    return Answer((encode({"inputTokens": PROMPT_TOKENS}),), headers=headers(call))


def usage(recipe: Recipe) -> dict[str, int]:
    """Token counts; `inputTokens` leaves cached ones out, `totalTokens` does not."""
    counts = {"inputTokens": PROMPT_TOKENS, "outputTokens": recipe.output_tokens}
    counts["totalTokens"] = recipe.input_tokens + recipe.output_tokens
    if recipe.cached:
        counts |= {"cacheReadInputTokens": CACHE_READ_TOKENS, "cacheWriteInputTokens": CACHE_WRITE_TOKENS}
    return counts


def tool_calls(call: Call) -> tuple[ToolCall, ToolCall]:
    """Two calls of the tools that the request offers, or of tools of our own when it offers none."""
    offered = [tool["toolSpec"]["name"] for tool in call.json.get("toolConfig", {}).get("tools", ())]
    first, second = tool_calls_of(call)
    if not offered:
        return first, second
    return ToolCall(0, offered[0], first.fragments), ToolCall(1, offered[-1], second.fragments)


def _stop_reason(recipe: Recipe) -> str:
    if recipe.cut_short:
        return "max_tokens"
    return "tool_use" if recipe.tools else "end_turn"


def _tool_id(call: Call, tool: ToolCall) -> str:
    return mark(call, f"tooluse_{tool.number}")


def _tool_blocks(call: Call) -> list[dict[str, Any]]:
    return [
        {
            "toolUse": {
                "toolUseId": _tool_id(call, tool),
                "name": tool.name,
                "input": msgspec.json.decode(tool.arguments),
            }
        }
        for tool in tool_calls(call)
    ]


def _text_events(recipe: Recipe) -> list[bytes]:
    deltas = [
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}}) for text in recipe.fragments
    ]
    return [*deltas, event("contentBlockStop", {"contentBlockIndex": 0})]


def _tool_events(call: Call) -> list[bytes]:
    events = []
    for tool in tool_calls(call):
        place = {"contentBlockIndex": tool.number}
        start = {"toolUse": {"toolUseId": _tool_id(call, tool), "name": tool.name}}
        events.append(event("contentBlockStart", place | {"start": start}))
        events += [
            event("contentBlockDelta", place | {"delta": {"toolUse": {"input": piece}}}) for piece in tool.fragments
        ]
        events.append(event("contentBlockStop", place))
    return events


def error(call: Call, status: int, words: str | None = None, kind: str | None = None) -> Answer:
    """An error as the service answers it: the exception's name in a header, its words in the body."""
    usual_kind, usual_words = _usual(status)
    name = ("x-amzn-ErrorType", f"{kind or usual_kind}:http://internal.amazon.com/coral/com.amazon.bedrock/")
    return Answer((encode({"message": words or usual_words}),), status=status, headers=(*headers(call), name))


def error_event(status: int = 503) -> bytes:
    """The exception that ends a stream gone wrong."""
    kind, words = _usual(status)
    return exception(kind[0].lower() + kind[1:], words)


def _usual(status: int) -> tuple[str, str]:
    return ERRORS.get(status) or ERRORS[500 if status >= 500 else 400]
