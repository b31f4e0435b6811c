"""The turns of a Messages request as Converse's messages.

Source: Amazon Bedrock API reference, "Message", "ContentBlock", "DocumentBlock"
and "ToolResultBlock". `cache_control` becomes a `cachePoint` after its block;
inside a tool result there is no place for one, so it is left out there. Empty
text says nothing and is left out; Bedrock refuses it.
"""

from __future__ import annotations

import re

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.anthropic_fields import check_citations, check_tool_use
from lib.wire.media import decode_base64, image_type, tool_id
from lib.wire.reader import Json, PartReaders, Reader, translated

LONGEST_NAME = 200
"""The longest name of a document, in characters."""

_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9()\[\]-]+")
_CACHE = "cache_control"


def cache_point(control: Reader) -> Json:
    """The cache point for a `cache_control`."""
    point: Json = {"type": "default"}
    ttl = control.maybe_text("ttl")
    if ttl:
        point["ttl"] = ttl
    return {"cachePoint": point}


def uses_tools(messages: list[Json]) -> bool:
    """Whether any of Converse's messages holds a tool call or its result."""
    return any("toolUse" in block or "toolResult" in block for message in messages for block in message["content"])


def system_blocks(reader: Reader) -> list[Json]:
    """The system prompt."""
    return _blocks(reader.parts("system"), {"text": _text})


def to_converse_messages(turns: list[Reader]) -> list[Json]:
    """Translate the turns. Raises `BadRequest` or `Untranslatable`."""
    messages: list[Json] = []
    for turn in turns:
        turn.only({"role", "content"})
        role = turn.choice("role", {"user", "assistant", "system"})
        content = _blocks(turn.parts("content"), _READERS)
        if content:
            messages.append({"role": role, "content": content})
    if not messages:
        raise BadRequest("`messages` must hold at least one message with content.", param="messages")
    return messages


def _blocks(parts: list[Reader], readers: PartReaders) -> list[Json]:
    """Translated blocks, each with its cache point."""
    blocks: list[Json] = []
    for part, block in translated(parts, readers):
        blocks.append(block)
        control = part.maybe_object(_CACHE)
        if control:
            blocks.append(cache_point(control))
    return blocks


def _text(part: Reader) -> Json | None:
    part.only({"type", "text", _CACHE, "citations"})
    text = part.text("text")
    return {"text": text} if text else None


def _image(part: Reader) -> Json:
    part.only({"type", "source", _CACHE})
    source = part.object("source")
    if source.text("type") != "base64":
        raise Untranslatable(source.at("type"), "an image must come as base64")
    media_type = image_type(source.name("media_type"), source.at("media_type"))
    data = decode_base64(source.name("data"), source.at("data"))
    return {"image": {"format": media_type.removeprefix("image/"), "source": {"bytes": data}}}


def _document(part: Reader) -> Json:
    part.only({"type", "source", "title", "context", "citations", _CACHE})
    check_citations(part)
    document: Json = {"name": _document_name(part), **_document_source(part.object("source"))}
    context = part.maybe_text("context")
    if context:
        document["context"] = context
    return {"document": document}


def _document_name(part: Reader) -> str:
    """A name in the characters that Bedrock allows; without a title, its place in the request."""
    names = (part.maybe_text("title") or "", f"document {part.path}")
    clean = (_NOT_IN_A_NAME.sub(" ", name).strip()[:LONGEST_NAME].strip() for name in names)
    return next(filter(None, clean))


def _document_source(source: Reader) -> Json:
    kind = source.text("type")
    if kind == "text":
        return {"format": "txt", "source": {"text": source.name("data")}}
    if kind != "base64":
        raise Untranslatable(source.at("type"), "a document must come as base64 or text")
    if source.name("media_type") != "application/pdf":
        raise Untranslatable(source.at("media_type"), "a document must be a PDF or text")
    return {"format": "pdf", "source": {"bytes": decode_base64(source.name("data"), source.at("data"))}}


def _tool_use(part: Reader) -> Json:
    check_tool_use(part)
    call = {"toolUseId": tool_id(part.name("id")), "name": part.name("name"), "input": part.object("input").raw}
    return {"toolUse": call}


def _tool_result(part: Reader) -> Json:
    part.only({"type", "tool_use_id", "content", "is_error", _CACHE})
    content = [block for block in _blocks(part.parts("content"), _RESULT_READERS) if "cachePoint" not in block]
    result: Json = {"toolUseId": tool_id(part.name("tool_use_id")), "content": content}
    if part.maybe_flag("is_error"):
        result["status"] = "error"
    return {"toolResult": result}


def _thinking(part: Reader) -> Json:
    part.only({"type", "thinking", "signature"})
    text: Json = {"text": part.text("thinking")}
    signature = part.maybe_text("signature")
    if signature:
        text["signature"] = signature
    return {"reasoningContent": {"reasoningText": text}}


def _redacted(part: Reader) -> Json:
    part.only({"type", "data"})
    return {"reasoningContent": {"redactedContent": decode_base64(part.name("data"), part.at("data"))}}


_RESULT_READERS: PartReaders = {"text": _text, "image": _image, "document": _document}
_READERS: PartReaders = {
    **_RESULT_READERS,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
