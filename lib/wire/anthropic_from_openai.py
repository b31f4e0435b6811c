"""A chat completion as a message: an OpenAI vendor's answer for an Anthropic client.

Sources: OpenAI API reference, "The chat completion object"; Anthropic API
reference, "Messages" and "Handling stop reasons". `reasoning_content` (DeepSeek
and others; `reasoning` at OpenRouter and Groq) becomes a thinking block, whose
signature is empty: there is no vendor to verify it.
"""

from __future__ import annotations

from typing import Any

from lib.base.errors import VendorProtocolError
from lib.wire.answer import arguments_object, obj, objects, reject, text, word
from lib.wire.media import tool_id
from lib.wire.reader import Json
from lib.wire.usage import openai_usage, to_anthropic

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}


def stop_reason(finish_reason: Any, *, calls: bool, refused: bool) -> str:
    """Anthropic's name for a finish reason; one that is not known counts as `stop`.

    A named `tool_choice` makes OpenAI finish with `stop` although it `calls` a
    tool; an answer made of a refusal finishes with `stop` too.
    """
    reason = _STOP_REASONS.get(text(finish_reason), "end_turn")
    if reason == "end_turn" and calls:
        return "tool_use"
    return "refusal" if reason == "end_turn" and refused else reason


def reasoning(message: Json) -> str:
    """The reasoning in a message or a delta."""
    return text(message.get("reasoning_content")) or text(message.get("reasoning"))


def call_id(vendors: Any, answer_id: str, index: int) -> str:
    """The identifier of a tool call, made from the answer's when the vendor gave none."""
    return tool_id(text(vendors) or f"call_{answer_id}_{index}")


def to_message(body: Json) -> Json:
    """Translate a whole chat completion; its first choice is the message.

    Raises what it stands for when it is an error (`stream_error`), and
    `VendorProtocolError` when it is no chat completion.
    """
    reject(body)
    choices = body.get("choices")
    if not choices:
        raise VendorProtocolError(detail="an answer without choices")
    choice = objects(choices, "choices")[0]
    answer_id = text(body.get("id"))
    content = _content(obj(choice.get("message")), answer_id, choice.get("finish_reason") == "length")
    return {
        "id": answer_id,
        "type": "message",
        "role": "assistant",
        "model": text(body.get("model")),
        "content": content,
        "stop_reason": stop_reason(
            choice.get("finish_reason"),
            calls=any(block["type"] == "tool_use" for block in content),
            refused=bool(obj(choice.get("message")).get("refusal")),
        ),
        "stop_sequence": None,
        "usage": to_anthropic(openai_usage(body.get("usage"))),
    }


def _content(message: Json, answer_id: str, unfinished: bool) -> list[Json]:
    thought = reasoning(message)
    blocks: list[Json] = [{"type": "thinking", "thinking": thought, "signature": ""}] if thought else []
    blocks += [{"type": "text", "text": said} for said in _said(message) if said]
    calls = objects(message.get("tool_calls") or [], "tool_calls")
    return blocks + [
        _tool_use(call, call_id(call.get("id"), answer_id, index), unfinished) for index, call in enumerate(calls)
    ]


def _said(message: Json) -> list[str]:
    """The texts of a message; some vendors (Mistral) send their content in parts."""
    content = message.get("content")
    parts = [text(part.get("text")) for part in objects(content, "content")] if isinstance(content, list) else []
    return [text(content) or "".join(parts), text(message.get("refusal"))]


def _tool_use(call: Json, identifier: str, unfinished: bool) -> Json:
    function = obj(call.get("function"))
    return {
        "type": "tool_use",
        "id": identifier,
        "name": word(function.get("name"), "name"),
        "input": arguments_object(text(function.get("arguments")), unfinished),
    }
