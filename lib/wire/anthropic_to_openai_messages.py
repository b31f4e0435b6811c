"""The turns of a Messages request as the messages of a chat completion.

- A user turn with tool results becomes one tool message for each result, then
  a user message with the rest, since a tool message must follow its call.
- OpenAI has no flag for a result that is an error, so its text says it. A tool
  message holds only text, so images and documents in a result follow in the
  user message, each after a line that names the call.
- Thinking of earlier turns is left out: a chat completion has no place for it.
- A last assistant turn (prefill) is refused: OpenAI would answer it, not
  continue it.
- A text document becomes text, below its title and context.
"""

from __future__ import annotations

import msgspec

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.anthropic_fields import check_citations, check_tool_use
from lib.wire.media import image_type, tool_id, write_data_url
from lib.wire.reader import Json, Reader, refuse

LONGEST_CALL_ID = 40
"""What OpenAI takes as the identifier of a tool call, in characters."""

_MESSAGE = frozenset({"role", "content"})
_CACHE = "cache_control"


def system_message(reader: Reader) -> list[Json]:
    """The system prompt as a message; none when there is none."""
    return _system(reader, "system")


def _system(reader: Reader, key: str) -> list[Json]:
    text = "\n".join(_text(block) for block in reader.parts(key))
    return [{"role": "system", "content": text}] if text else []


def to_messages(turns: list[Reader]) -> list[Json]:
    """Translate the turns. Raises `BadRequest` or `Untranslatable`."""
    messages: list[Json] = []
    for turn in turns:
        turn.only(_MESSAGE)
        role = turn.text("role")
        if role == "user":
            messages += _user(turn)
        elif role == "assistant":
            messages += _assistant(turn)
        elif role == "system":
            messages += _system(turn, "content")
        else:
            refuse(turn.at("role"), "`user`, `assistant` or `system`")
    if not messages:
        raise BadRequest("`messages` must hold at least one message with content.", param="messages")
    if turns[-1].raw["role"] == "assistant":
        raise Untranslatable(turns[-1].path, "it cannot continue an assistant message (prefill)")
    return messages


def _user(turn: Reader) -> list[Json]:
    results: list[Json] = []
    parts: list[Json] = []
    for block in turn.parts("content"):
        if block.text("type") == "tool_result":
            result, media = _tool_result(block)
            results.append(result)
            parts += media
        else:
            parts += _part(block)
    return results + ([{"role": "user", "content": _shortest(parts)}] if parts else [])


def _shortest(parts: list[Json]) -> str | list[Json]:
    """One text as a plain string, which every OpenAI-compatible vendor reads."""
    if len(parts) == 1 and parts[0]["type"] == "text":
        text: str = parts[0]["text"]
        return text
    return parts


def _part(block: Reader) -> list[Json]:
    kind = block.text("type")
    if kind == "text":
        text = _text(block)
        return [{"type": "text", "text": text}] if text else []
    if kind == "image":
        return [_image(block)]
    if kind == "document":
        return [_document(block)]
    raise Untranslatable(block.at("type"), "this kind of content cannot be sent to it")


def _text(block: Reader) -> str:
    if block.text("type") != "text":
        raise Untranslatable(block.at("type"), "only text can stand here")
    block.only({"type", "text", _CACHE, "citations"})
    return block.text("text")


def _image(block: Reader) -> Json:
    block.only({"type", "source", _CACHE})
    source = block.object("source")
    kind = source.text("type")
    if kind == "url":
        url = source.name("url")
    elif kind == "base64":
        media_type = image_type(source.name("media_type"), source.at("media_type"))
        url = write_data_url(media_type, source.name("data"))
    else:
        raise Untranslatable(source.at("type"), "an image must come as base64 or URL")
    return {"type": "image_url", "image_url": {"url": url}}


def _document(block: Reader) -> Json:
    block.only({"type", "source", "title", "context", "citations", _CACHE})
    check_citations(block)
    source = block.object("source")
    kind = source.text("type")
    title, context = block.maybe_text("title"), block.maybe_text("context")
    if kind == "text":
        return {"type": "text", "text": "\n".join(filter(None, (title, context, source.text("data"))))}
    if kind != "base64":
        raise Untranslatable(source.at("type"), "a document must come as base64 or text")
    if source.name("media_type") != "application/pdf":
        raise Untranslatable(source.at("media_type"), "a document must be a PDF or text")
    if context:
        raise Untranslatable(block.at("context"), "a PDF has no context")
    data = write_data_url("application/pdf", source.name("data"))
    return {"type": "file", "file": {"filename": title or "document.pdf", "file_data": data}}


def _tool_result(block: Reader) -> tuple[Json, list[Json]]:
    """The tool message, and the parts for the user message that follows."""
    block.only({"type", "tool_use_id", "content", "is_error", _CACHE})
    call_id = tool_id(block.name("tool_use_id"), LONGEST_CALL_ID)
    texts: list[str] = []
    media: list[Json] = []
    for part in block.parts("content"):
        for translated in _part(part):
            if translated["type"] == "text":
                texts.append(translated["text"])
            else:
                media += [{"type": "text", "text": f"Returned by tool call {call_id}:"}, translated]
    text = "\n".join(texts)
    if block.maybe_flag("is_error"):
        text = f"Error: {text}" if text else "Error"
    return {"role": "tool", "tool_call_id": call_id, "content": text}, media


def _assistant(turn: Reader) -> list[Json]:
    texts: list[str] = []
    calls: list[Json] = []
    for block in turn.parts("content"):
        kind = block.text("type")
        if kind == "text":
            texts.append(_text(block))
        elif kind == "tool_use":
            calls.append(_tool_call(block))
        elif kind not in ("thinking", "redacted_thinking"):
            raise Untranslatable(block.at("type"), "this kind of content cannot be sent to it")
    text = "".join(texts)
    if not text and not calls:
        return []
    message: Json = {"role": "assistant", "content": text or None}
    return [{**message, "tool_calls": calls} if calls else message]


def _tool_call(block: Reader) -> Json:
    check_tool_use(block)
    arguments = msgspec.json.encode(block.object("input").raw).decode()
    function = {"name": block.name("name"), "arguments": arguments}
    return {"id": tool_id(block.name("id"), LONGEST_CALL_ID), "type": "function", "function": function}
