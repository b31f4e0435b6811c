"""Right answers of OpenAI's chat completions and text completions.

Source: OpenAI API reference, "Chat Completions", "Streaming events" and "Completions (legacy)".
"""

from __future__ import annotations

from typing import Any

from tests.upstream.recipe import CACHE_READ_TOKENS, CREATED, REASONING_TOKENS, Recipe, encode, mark, sse, tool_calls
from tests.upstream.record import Call
from tests.upstream.steps import Answer, Headers

DONE = b"data: [DONE]\n\n"
EVENT_STREAM = "text/event-stream; charset=utf-8"


def headers(call: Call) -> Headers:
    """What the vendor's edge adds to every answer, a cookie included."""
    return (
        ("Server", "cloudflare"),
        ("openai-organization", "org-lighthouse"),
        ("openai-processing-ms", "187"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-request-id", mark(call, "req_")),
        ("set-cookie", "__cf_bm=b1sCu1t; path=/; HttpOnly; Secure"),
    )


def usage(recipe: Recipe) -> dict[str, Any]:
    """Token counts; here `prompt_tokens` includes the cached ones."""
    return {
        "prompt_tokens": recipe.input_tokens,
        "completion_tokens": recipe.output_tokens,
        "total_tokens": recipe.input_tokens + recipe.output_tokens,
        "prompt_tokens_details": {"cached_tokens": CACHE_READ_TOKENS if recipe.cached else 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": REASONING_TOKENS if recipe.cached else 0, "audio_tokens": 0},
    }


def chat(call: Call, recipe: Recipe) -> Answer:
    """A chat completion, whole or streamed."""
    if call.stream:
        return _streamed(call, recipe, _chat_chunks(call, recipe))
    calls = [_tool(call, tool.number, tool.name, tool.arguments) for tool in tool_calls(call)]
    message: dict[str, Any] = {"role": "assistant", "content": recipe.text, "refusal": None, "annotations": []}
    if recipe.tools:
        message |= {"content": None, "tool_calls": calls}
    body = _base(call, "chat.completion") | {
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(recipe)}],
    }
    return _whole(call, recipe, body)


def completion(call: Call, recipe: Recipe) -> Answer:
    """A text completion (legacy), whole or streamed."""
    base = _base(call, "text_completion")

    def choice(text: str, finish: str | None) -> dict[str, Any]:
        return base | {"choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}]}

    if not call.stream:
        return _whole(call, recipe, choice(recipe.text, _finish(recipe)))
    chunks = [choice(fragment, None) for fragment in recipe.fragments] + [choice("", _finish(recipe))]
    return _streamed(call, recipe, chunks)


def _chat_chunks(call: Call, recipe: Recipe) -> list[dict[str, Any]]:
    base = _base(call, "chat.completion.chunk")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if recipe.tools else "", "refusal": None}]
    if recipe.tools:
        for tool in tool_calls(call):
            deltas.append({"tool_calls": [_tool(call, tool.number, tool.name, "") | {"index": tool.number}]})
            for part in tool.fragments:
                deltas.append({"tool_calls": [{"index": tool.number, "function": {"arguments": part}}]})
    else:
        deltas += [{"content": fragment} for fragment in recipe.fragments]
    finishes = [None] * len(deltas) + [_finish(recipe)]
    return [
        base | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        for delta, finish in zip([*deltas, {}], finishes, strict=True)
    ]


def _streamed(call: Call, recipe: Recipe, chunks: list[dict[str, Any]]) -> Answer:
    """With `include_usage` each chunk has `"usage":null`, and one more without choices has the counts."""
    options = call.json.get("stream_options") or {}
    if options.get("include_usage") and recipe.usage:
        last = chunks[-1] | {"choices": [], "usage": usage(recipe)}
        chunks = [chunk | {"usage": None} for chunk in chunks] + [last]
    padded = [chunk | {"obfuscation": "Hk3w9"[: index % 5 + 1]} for index, chunk in enumerate(chunks)]
    first = 1 if chunks[0]["object"] == "chat.completion.chunk" else 0
    pieces = (*map(sse, padded), DONE)
    return Answer(pieces, EVENT_STREAM, headers=headers(call), streamed=True, first=first, gap=recipe.gap)


def _whole(call: Call, recipe: Recipe, body: dict[str, Any]) -> Answer:
    counted = body | ({"usage": usage(recipe)} if recipe.usage else {})
    return Answer((encode(counted),), headers=headers(call))


def _base(call: Call, kind: str) -> dict[str, Any]:
    prefix = "cmpl-" if kind == "text_completion" else "chatcmpl-"
    return {
        "id": mark(call, prefix),
        "object": kind,
        "created": CREATED,
        "model": call.model,
        "service_tier": "default",
        "system_fingerprint": "fp_5ea9u11",
    }


def _tool(call: Call, number: int, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": mark(call, f"call_{number}"),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _finish(recipe: Recipe) -> str:
    if recipe.tools:
        return "tool_calls"
    return "length" if recipe.cut_short else "stop"
