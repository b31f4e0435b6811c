"""Right answers of OpenAI's Responses API, whole and streamed.

Source: OpenAI API reference, "Responses" and "Responses: streaming events".
"""

from __future__ import annotations

from typing import Any

from tests.upstream.openai_chat import EVENT_STREAM, headers
from tests.upstream.recipe import (
    CACHE_READ_TOKENS,
    CREATED,
    REASONING_TOKENS,
    Recipe,
    ToolCall,
    encode,
    mark,
    sse,
    tool_calls,
)
from tests.upstream.record import Call
from tests.upstream.steps import Answer

Event = dict[str, Any]


def response(call: Call, recipe: Recipe) -> Answer:
    """A response, whole or streamed."""
    if not call.stream:
        return Answer((encode(_response(call, recipe, done=True)),), headers=headers(call))
    items = [event for tool in tool_calls(call) for event in _tool_events(call, tool)]
    middle = items if recipe.tools else _text_events(call, recipe)
    opening, ending = _response(call, recipe, done=False), _response(call, recipe, done=True)
    last = "response.incomplete" if recipe.cut_short else "response.completed"
    events = [
        {"type": "response.created", "response": opening},
        {"type": "response.in_progress", "response": opening},
        *middle,
        {"type": last, "response": ending},
    ]
    pieces = (sse(event | {"sequence_number": number}, event["type"]) for number, event in enumerate(events))
    first = 3 if recipe.tools else 4
    return Answer(
        tuple(pieces), EVENT_STREAM, headers=headers(call), streamed=True, first=first, gap=recipe.gap
    )  # fmt: skip


def _response(call: Call, recipe: Recipe, *, done: bool) -> dict[str, Any]:
    output = [_tool_item(call, tool, tool.arguments) for tool in tool_calls(call)] if recipe.tools else []
    if not recipe.tools:
        output = [_message(call, recipe.text, "completed")]
    status = "incomplete" if recipe.cut_short else "completed"
    return {
        "id": mark(call, "resp_"),
        "object": "response",
        "created_at": CREATED,
        "status": status if done else "in_progress",
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if done and recipe.cut_short else None,
        "instructions": None,
        "model": call.model,
        "output": output if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": call.json.get("tools") or [],
        "top_p": 1.0,
        "usage": _usage(recipe) if done and recipe.usage else None,
        "metadata": {},
    }


def _usage(recipe: Recipe) -> dict[str, Any]:
    return {
        "input_tokens": recipe.input_tokens,
        "input_tokens_details": {"cached_tokens": CACHE_READ_TOKENS if recipe.cached else 0},
        "output_tokens": recipe.output_tokens,
        "output_tokens_details": {"reasoning_tokens": REASONING_TOKENS if recipe.cached else 0},
        "total_tokens": recipe.input_tokens + recipe.output_tokens,
    }


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _message(call: Call, text: str | None, status: str) -> dict[str, Any]:
    content = [] if text is None else [_part(text)]
    return {"id": mark(call, "msg_"), "type": "message", "status": status, "role": "assistant", "content": content}


def _text_events(call: Call, recipe: Recipe) -> list[Event]:
    place = {"item_id": mark(call, "msg_"), "output_index": 0, "content_index": 0}
    deltas = [
        {"type": "response.output_text.delta", **place, "delta": fragment, "logprobs": []}
        for fragment in recipe.fragments
    ]
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": _message(call, None, "in_progress")},
        {"type": "response.content_part.added", **place, "part": _part("")},
        *deltas,
        {"type": "response.output_text.done", **place, "text": recipe.text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _part(recipe.text)},
        {"type": "response.output_item.done", "output_index": 0, "item": _message(call, recipe.text, "completed")},
    ]


def _tool_item(call: Call, tool: ToolCall, arguments: str) -> dict[str, Any]:
    return {
        "id": mark(call, f"fc_{tool.number}"),
        "type": "function_call",
        "status": "completed" if arguments else "in_progress",
        "call_id": mark(call, f"call_{tool.number}"),
        "name": tool.name,
        "arguments": arguments,
    }


def _tool_events(call: Call, tool: ToolCall) -> list[Event]:
    place = {"item_id": mark(call, f"fc_{tool.number}"), "output_index": tool.number}
    kind = "response.function_call_arguments"
    return [
        {"type": "response.output_item.added", "output_index": tool.number, "item": _tool_item(call, tool, "")},
        *({"type": f"{kind}.delta", **place, "delta": fragment} for fragment in tool.fragments),
        {"type": f"{kind}.done", **place, "name": tool.name, "arguments": tool.arguments},
        {
            "type": "response.output_item.done",
            "output_index": tool.number,
            "item": _tool_item(call, tool, tool.arguments),
        },
    ]
