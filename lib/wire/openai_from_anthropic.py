"""A message as a chat completion: Anthropic's answer for an OpenAI client.

Sources: Anthropic API reference, "Messages" and "Handling stop reasons"; OpenAI
API reference, "The chat completion object". Thinking goes into
`reasoning_content`, the field that DeepSeek introduced and most OpenAI clients
know; citations and signatures have no place.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lib.base.errors import VendorProtocolError
from lib.wire.answer import obj, objects, reject, text, word
from lib.wire.reader import Json
from lib.wire.usage import anthropic_usage, to_openai

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def finish_reason(stop_reason: Any) -> str:
    """OpenAI's name for a stop reason; one that is not known counts as `stop`."""
    return _FINISH_REASONS.get(text(stop_reason), "stop")


def to_completion(body: Json, created: int) -> Json:
    """Translate a whole message. `created` is in seconds since 1970.

    Raises what it stands for when it is an error (`stream_error`), and
    `VendorProtocolError` when it is no message.
    """
    reject(body)
    if body.get("type") != "message":
        raise VendorProtocolError(detail="an answer that is not a message")
    choice: Json = {
        "index": 0,
        "message": _message(objects(body.get("content"), "content"), obj(body.get("stop_details"))),
        "logprobs": None,
        "finish_reason": finish_reason(body.get("stop_reason")),
    }
    return {
        "id": text(body.get("id")),
        "object": "chat.completion",
        "created": created,
        "model": text(body.get("model")),
        "choices": [choice],
        "usage": to_openai(anthropic_usage(body.get("usage"))),
    }


def _message(blocks: list[Json], stop_details: Json) -> Json:
    said = [text(block.get("text")) for block in blocks if block.get("type") == "text"]
    thought = [text(block.get("thinking")) for block in blocks if block.get("type") == "thinking"]
    calls = [_tool_call(block) for block in blocks if block.get("type") == "tool_use"]
    message: Json = {
        "role": "assistant",
        "content": "".join(said) if said or not calls else None,
        "refusal": text(stop_details.get("explanation")) or None,
    }
    if any(thought):
        message["reasoning_content"] = "".join(thought)
    if calls:
        message["tool_calls"] = calls
    return message


def _tool_call(block: Json) -> Json:
    arguments = msgspec.json.encode(obj(block.get("input"))).decode()
    function = {"name": word(block.get("name"), "name"), "arguments": arguments}
    return {"id": word(block.get("id"), "id"), "type": "function", "function": function}
