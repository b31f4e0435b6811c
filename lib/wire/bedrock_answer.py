"""Converse's whole answer as a message.

Source: Amazon Bedrock API reference, "Converse" (response), "TokenUsage" and
"ContentBlock". `inputTokens` leaves out the cache, as Anthropic's count does.
"""

from __future__ import annotations

import binascii
from typing import Any

from lib.base.errors import VendorProtocolError
from lib.wire.answer import obj, objects, text, word
from lib.wire.reader import Json
from lib.wire.usage import Usage, anthropic_usage, to_anthropic

_STOP_REASONS = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "model_context_window_exceeded": "model_context_window_exceeded",
    "guardrail_intervened": "refusal",
    "content_filtered": "refusal",
    "malformed_model_output": "end_turn",
    "malformed_tool_use": "end_turn",
}


def stop_reason(reason: Any) -> str:
    """Anthropic's name for Converse's stop reason; one that is not known counts as `end_turn`."""
    return _STOP_REASONS.get(text(reason), "end_turn")


def stop_sequence(answer: Json) -> str | None:
    """The sequence that stopped the model, where it was asked for and told."""
    return text(obj(answer.get("additionalModelResponseFields")).get("stop_sequence")) or None


def converse_usage(counted: Any) -> Usage:
    """Read a TokenUsage; a wrong type or a negative number counts as 0."""
    counted = obj(counted)
    details = counted.get("cacheDetails")
    lifetimes: Json = {}
    for detail in details if isinstance(details, list) else []:
        written = obj(detail)
        lifetimes[f"ephemeral_{text(written.get('ttl'))}_input_tokens"] = written.get("inputTokens")
    return anthropic_usage(
        {
            "input_tokens": counted.get("inputTokens"),
            "output_tokens": counted.get("outputTokens"),
            "cache_read_input_tokens": counted.get("cacheReadInputTokens"),
            "cache_creation_input_tokens": counted.get("cacheWriteInputTokens"),
            "cache_creation": lifetimes,
        }
    )


def from_converse(response: Json, model: str, request_id: str) -> Json:
    """Translate a whole response of boto3's `converse`. Raises `VendorProtocolError`.

    `model` is the name to show; the message's id is made from `request_id`.
    """
    message = obj(obj(response.get("output")).get("message"))
    content: list[Json] = []
    for block in objects(message.get("content"), "content"):
        content += _block(block)
    return {
        "id": f"msg_{request_id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason(response.get("stopReason")),
        "stop_sequence": stop_sequence(response),
        "usage": to_anthropic(converse_usage(response.get("usage"))),
    }


def encode_redacted(data: Any) -> str:
    """Encrypted reasoning as the string that `lib.wire.bedrock_messages` reads. Raises `VendorProtocolError`."""
    if not isinstance(data, bytes):
        raise VendorProtocolError(detail="`redactedContent` is not bytes")
    return binascii.b2a_base64(data, newline=False).decode()


def _block(block: Json) -> list[Json]:
    if "text" in block:
        return [{"type": "text", "text": text(block["text"])}]
    if "toolUse" in block:
        return [_tool_use(obj(block["toolUse"]))]
    if "reasoningContent" in block:
        return [_reasoning(obj(block["reasoningContent"]))]
    if "citationsContent" in block:
        generated = objects(obj(block["citationsContent"]).get("content") or [], "citationsContent")
        return [{"type": "text", "text": "".join(text(part.get("text")) for part in generated)}]
    return []


def _tool_use(call: Json) -> Json:
    identifier, name = word(call.get("toolUseId"), "toolUseId"), word(call.get("name"), "name")
    return {"type": "tool_use", "id": identifier, "name": name, "input": obj(call.get("input"))}


def _reasoning(content: Json) -> Json:
    if "redactedContent" in content:
        return {"type": "redacted_thinking", "data": encode_redacted(content["redactedContent"])}
    thought = obj(content.get("reasoningText"))
    return {"type": "thinking", "thinking": text(thought.get("text")), "signature": text(thought.get("signature"))}
