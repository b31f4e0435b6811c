"""The messages of a chat completion as the turns of a Messages request.

- System and developer messages, wherever they stand, become the system prompt,
  one block for each text, as Anthropic's "OpenAI SDK compatibility" does.
- Neighbours of one role become one turn. Tool messages become `tool_result`
  blocks, so the results of parallel calls share a user turn, as they must.
- A last assistant message stays last: Anthropic continues it (prefill).
- `reasoning_content` of earlier answers is left out: a thinking block is valid
  only with the signature that its vendor gave it.
- Text that is empty says nothing and is left out; Anthropic refuses it.
- An image may come with a tool message, and `cache_control` with a part: both
  have their place at Anthropic and are widespread in OpenAI's dialect.
"""

from __future__ import annotations

import msgspec

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.media import image_type, read_data_url, tool_id
from lib.wire.reader import Json, PartReaders, Reader, refuse, translated
from lib.wire.usage import UNREADABLE

_PART_HINTS = frozenset({"cache_control", "prompt_cache_breakpoint"})
_USER = frozenset({"role", "content"})
_TOOL = frozenset({"role", "content", "tool_call_id", "name"})
_ASSISTANT = frozenset({"role", "content", "tool_calls", "refusal", "annotations", "reasoning_content"})


def to_turns(messages: list[Reader]) -> tuple[list[Json], list[Json]]:
    """The blocks of the system prompt, and the turns. Raises `BadRequest` or `Untranslatable`."""
    system: list[Json] = []
    turns: list[Json] = []
    for message in messages:
        role = message.text("role")
        if role in ("system", "developer"):
            message.only(_USER)
            system += _texts(message)
        elif role == "user":
            message.only(_USER)
            _append(turns, "user", _blocks(message, _USER_PARTS))
        elif role == "assistant":
            _append(turns, "assistant", _assistant(message))
        elif role == "tool":
            _append(turns, "user", [_tool_result(message)])
        elif role == "function":
            raise Untranslatable(message.at("role"), "use `tool` messages")
        else:
            refuse(message.at("role"), "a known role")
    if not turns:
        raise BadRequest("`messages` must hold at least one message with content.", param="messages")
    return system, turns


def _append(turns: list[Json], role: str, blocks: list[Json]) -> None:
    """Add blocks to the last turn when it is of the same role, else as a turn of their own."""
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _texts(message: Reader) -> list[Json]:
    return _blocks(message, {"text": _text})


def _blocks(message: Reader, readers: PartReaders) -> list[Json]:
    """The content of a message."""
    return [_with_cache(part, block) for part, block in translated(message.parts("content"), readers)]


def _with_cache(part: Reader, block: Json) -> Json:
    """A breakpoint of the prompt cache, in either vendor's spelling."""
    control = part.maybe_object("cache_control")
    if control:
        return {**block, "cache_control": control.raw}
    if part.maybe_object("prompt_cache_breakpoint"):
        return {**block, "cache_control": {"type": "ephemeral"}}
    return block


def _text(part: Reader) -> Json | None:
    part.only({"type", "text", *_PART_HINTS})
    text = part.text("text")
    return {"type": "text", "text": text} if text else None


def _refusal(part: Reader) -> Json | None:
    part.only({"type", "refusal"})
    text = part.text("refusal")
    return {"type": "text", "text": text} if text else None


def _image(part: Reader) -> Json:
    part.only({"type", "image_url", *_PART_HINTS})
    image = part.object("image_url")
    image.only({"url", "detail"})
    url, path = image.name("url"), image.at("url")
    if url[:5].lower() != "data:":
        if not url.lower().startswith(("https://", "http://")):
            refuse(path, "an HTTP or data URL")
        return {"type": "image", "source": {"type": "url", "url": url}}
    media_type, data = read_data_url(url, path)
    source = {"type": "base64", "media_type": image_type(media_type, path), "data": data}
    return {"type": "image", "source": source}


def _file(part: Reader) -> Json:
    part.only({"type", "file", *_PART_HINTS})
    file = part.object("file")
    file.only({"file_data", "filename"})
    media_type, data = read_data_url(file.name("file_data"), file.at("file_data"))
    if media_type != "application/pdf":
        raise Untranslatable(file.at("file_data"), "a file must be a PDF")
    block: Json = {"type": "document", "source": {"type": "base64", "media_type": media_type, "data": data}}
    name = file.maybe_text("filename")
    return {**block, "title": name} if name else block


_USER_PARTS: PartReaders = {"text": _text, "image_url": _image, "file": _file}
_RESULT_PARTS: PartReaders = {"text": _text, "image_url": _image}
_ASSISTANT_PARTS: PartReaders = {"text": _text, "refusal": _refusal}


def _assistant(message: Reader) -> list[Json]:
    message.only(_ASSISTANT)
    blocks = _blocks(message, _ASSISTANT_PARTS)
    refusal = message.maybe_text("refusal")
    if refusal:
        blocks.append({"type": "text", "text": refusal})
    return blocks + [_tool_use(call) for call in message.objects("tool_calls")]


def _tool_use(call: Reader) -> Json:
    if call.raw.get("type", "function") != "function":
        raise Untranslatable(call.at("type"), "only functions can be called")
    function = call.object("function")
    arguments = function.text("arguments")
    return {
        "type": "tool_use",
        "id": tool_id(call.name("id")),
        "name": function.name("name"),
        "input": _decode(arguments, function.at("arguments")) if arguments.strip() else {},
    }


def _decode(arguments: str, path: str) -> Json:
    """The arguments of a call, which OpenAI writes as JSON inside a string."""
    try:
        value = msgspec.json.decode(arguments)
    except UNREADABLE:
        value = None
    return value if isinstance(value, dict) else refuse(path, "a JSON object in a string")


def _tool_result(message: Reader) -> Json:
    message.only(_TOOL)
    block: Json = {"type": "tool_result", "tool_use_id": tool_id(message.name("tool_call_id"))}
    content = message.raw.get("content")
    if isinstance(content, str):
        return {**block, "content": content}
    return {**block, "content": _blocks(message, _RESULT_PARTS)}
