"""What a request refers to and does not hold: files and pages by address or id, earlier turns, stored prompts; and
what it holds that is more than its bytes tell.

Sources: OpenAI API reference ("Create a model response": `previous_response_id`, `conversation`, `prompt`,
`input_file`, `item_reference`; "Create chat completion": `file`), Anthropic API reference ("PDF support", "Files",
"Web search tool", "Web fetch tool", "Code execution tool", "MCP connector"), Mistral API reference ("Document QnA":
`document_url`), vLLM and OpenRouter ("Multimodal inputs": `video_url`, `audio_url`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from lib.wire import Form, JsonBody

_KEPT = ("previous_response_id", "conversation", "mcp_servers", "container")
_PARTED = ("messages", "input", "system")
# One of these is in whatever is not shown. The bytes of every call are searched, so all begin with one letter: such a
# pattern takes a nanosecond for a byte, a `|` at its top five.
_WORDS = re.compile(
    rb'"(?:file(?:_id|_url|_data)?"|document(?:_url)?"|video_url"|audio_url"|input_audio"|item_reference"'
    rb"|web_search_|web_fetch_|code_execution_|mcp)"
)
_ESCAPED = re.compile(rb"\\u00[2-7]")  # a letter that need not be: it may hide a word
_TOOLS = ("web_search_", "web_fetch_", "code_execution_", "mcp")  # of the vendor's own: what they find is read too
_PICTURES = ("image", "image_url", "input_image")  # of a bounded size, counted by `weight`
_DOCUMENTS = ("document", "file", "input_file")
_HOLDERS = ("source", "file", "document_url", "video_url", "audio_url", "input_audio")
_PLACES = ("url", "file_url", "file_data", "document_url", "video_url", "audio_url", "input_audio", "data")
_ADDRESS = re.compile(r"\s*(?!data:)[a-z][a-z0-9+.-]{0,15}:/", re.IGNORECASE)


class Unseen(NamedTuple):
    """`elsewhere`: a part of the prompt, of any size, is not in the request. `documents` are bytes of base64 in it
    whose pages may hold more text than the bytes tell of. `sound`: some of it is heard."""

    elsewhere: bool = False
    documents: int = 0
    sound: bool = False


NOTHING = Unseen()


def unseen(body: JsonBody | Form) -> Unseen:
    """What the bytes of a request do not tell of its prompt."""
    if isinstance(body, Form):
        return NOTHING
    elsewhere = _is_kept(body)
    if not (_WORDS.search(body.raw) or _ESCAPED.search(body.raw) or _names_items(body)):
        return Unseen(elsewhere)
    parts = [part for name in _PARTED if body.kind(name) == "list" for part in _parts(body.get(name))]
    return Unseen(
        elsewhere or _finds(body) or any(map(_is_elsewhere, parts)),
        sum(len(value) for part in parts if part.get("type") in _DOCUMENTS for value in _values(part)),
        any(part.get("type") == "input_audio" for part in parts),
    )


def _is_kept(body: JsonBody) -> bool:
    """Whether a field names what the vendor keeps, or where it may ask; `prompt` may be a text of the completions."""
    return any(name in body and body.get(name) for name in _KEPT) or body.kind("prompt") == "object"


def _finds(body: JsonBody) -> bool:
    """Whether a tool is the vendor's own, and what it finds becomes a part of the prompt."""
    tools = body.get("tools") if body.kind("tools") == "list" else ()
    return any(_kind(tool).startswith(_TOOLS) for tool in tools if isinstance(tool, dict))


def _names_items(body: JsonBody) -> bool:
    """Whether an item of an input may be no more than the id of an earlier one."""
    return body.kind("input") == "list" and b'"id"' in body.raw


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """The messages of a list, their parts, and what these hold in turn; tools' arguments and schemas are text."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting.extend(found)
        elif isinstance(found, dict):
            yield found
            waiting.extend(found[name] for name in ("content", "output") if isinstance(found.get(name), list))


def _kind(part: dict[str, Any]) -> str:
    kind = part.get("type")
    return kind if isinstance(kind, str) else ""


def _is_elsewhere(part: dict[str, Any]) -> bool:
    kind = _kind(part)
    if not kind:  # a message, or the id of one
        return "id" in part and "role" not in part
    if kind in _PICTURES:
        return False
    if kind == "item_reference" or any("file_id" in held for held in _held(part)):
        return True
    return any(map(_ADDRESS.match, _values(part)))


def _held(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield part
    for name in _HOLDERS:
        if isinstance(inner := part.get(name), dict):
            yield inner


def _values(part: dict[str, Any]) -> Iterator[str]:
    for held in _held(part):
        for name in _PLACES:
            if isinstance(value := held.get(name), str):
                yield value
