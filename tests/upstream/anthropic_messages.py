"""Right answers of Anthropic's API: messages, token counting, models.

Source: Anthropic API reference, "Messages", "Streaming messages", "Count tokens", "List models".
"""

from __future__ import annotations

from typing import Any

import msgspec

from tests.upstream.recipe import CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, PROMPT_TOKENS, Recipe, encode, mark, sse
from tests.upstream.recipe import tool_calls as tool_calls_of
from tests.upstream.record import Call
from tests.upstream.steps import Answer, Headers

MODELS = ("claude-sonnet-4-5", "claude-haiku-4-5")
Event = dict[str, Any]


def headers(call: Call) -> Headers:
    """What the vendor's edge adds to every answer."""
    return (
        ("Server", "cloudflare"),
        ("request-id", mark(call, "req_")),
        ("anthropic-organization-id", "1f0c-lighthouse"),
        ("anthropic-ratelimit-requests-limit", "4000"),
        ("anthropic-ratelimit-requests-remaining", "3999"),
        ("anthropic-ratelimit-requests-reset", "2030-01-01T00:00:00Z"),
        ("cf-cache-status", "DYNAMIC"),
    )


def message(call: Call, recipe: Recipe) -> Answer:
    """A message, whole or streamed."""
    if call.stream:
        events = [
            {"type": "message_start", "message": _message(call, recipe, done=False)},
            *(_tool_events(call) if recipe.tools else _text_events(recipe)),
            *_ending(recipe),
        ]
        pieces = tuple(sse(event, event["type"]) for event in events)
        return Answer(
            pieces, "text/event-stream; charset=utf-8", headers=headers(call), streamed=True, first=3, gap=recipe.gap
        )
    return Answer((encode(_message(call, recipe, done=True)),), headers=headers(call))


def count_tokens(call: Call, recipe: Recipe) -> Answer:
    """The size of a prompt, in tokens."""
    return Answer((encode({"input_tokens": PROMPT_TOKENS}),), headers=headers(call))


def models(call: Call) -> Answer:
    """The list of models, or the one that the path names."""
    rows = [
        {"type": "model", "id": name, "display_name": name.title(), "created_at": "2025-09-29T00:00:00Z"}
        for name in MODELS
    ]
    asked = call.route.rpartition("/models")[2].removeprefix("/")
    page = {"data": rows, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
    return Answer((encode(rows[0] | {"id": asked} if asked else page),), headers=headers(call))


def _message(call: Call, recipe: Recipe, *, done: bool) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": recipe.text}]
    if recipe.tools:
        content = [_tool_block(call, number, msgspec.json.decode(tool.arguments))
                   for number, tool in enumerate(tool_calls_of(call))]  # fmt: skip
    return {
        "id": mark(call, "msg_"),
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": content if done else [],
        "stop_reason": _stop(recipe) if done else None,
        "stop_sequence": None,
        "usage": _usage(recipe, recipe.output_tokens if done else 1),
    }


def _usage(recipe: Recipe, output: int) -> dict[str, Any]:
    """Here `input_tokens` excludes what was read from or written to the cache."""
    written = CACHE_WRITE_TOKENS if recipe.cached else 0
    return {
        "input_tokens": PROMPT_TOKENS,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": CACHE_READ_TOKENS if recipe.cached else 0,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    }


def _text_events(recipe: Recipe) -> list[Event]:
    deltas = [_delta(0, {"type": "text_delta", "text": fragment}) for fragment in recipe.fragments]
    return [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *deltas,
        {"type": "content_block_stop", "index": 0},
    ]


def _tool_events(call: Call) -> list[Event]:
    events: list[Event] = []
    for tool in tool_calls_of(call):
        block = _tool_block(call, tool.number, {})
        events.append({"type": "content_block_start", "index": tool.number, "content_block": block})
        if tool.number == 0:
            events.append({"type": "ping"})
        events += [
            _delta(tool.number, {"type": "input_json_delta", "partial_json": part}) for part in ("", *tool.fragments)
        ]
        events.append({"type": "content_block_stop", "index": tool.number})
    return events


def _ending(recipe: Recipe) -> list[Event]:
    delta = {"type": "message_delta", "delta": {"stop_reason": _stop(recipe), "stop_sequence": None}}
    usage = {"usage": {"output_tokens": recipe.output_tokens}} if recipe.usage else {}
    return [delta | usage, {"type": "message_stop"}]


def _delta(index: int, delta: dict[str, Any]) -> Event:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _tool_block(call: Call, number: int, arguments: Any) -> dict[str, Any]:
    name = tool_calls_of(call)[number].name
    return {"type": "tool_use", "id": mark(call, f"toolu_{number}"), "name": name, "input": arguments}


def _stop(recipe: Recipe) -> str:
    if recipe.tools:
        return "tool_use"
    return "max_tokens" if recipe.cut_short else "end_turn"
