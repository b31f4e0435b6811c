"""What a request refers to and does not hold: files and pages by address or id, earlier turns, stored prompts; and
what it holds that is more than its bytes tell.

Sources: OpenAI API reference ("Create a model response": `previous_response_id`, `conversation`, `prompt`,
`input_file`, `item_reference`; "Create chat completion": `file`), Anthropic API reference ("PDF support", "Files",
"Web search tool", "Web fetch tool", "MCP connector"), Mistral API reference ("Document QnA": `document_url`), vLLM
and OpenRouter ("Multimodal inputs": `video_url`, `audio_url`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lib.wire import JsonBody

_KEPT = ("previous_response_id", "conversation", "prompt", "mcp_servers", "container")
_LISTS = ("messages", "input", "system", "tools")
_MARKS = tuple(
    b'"' + mark
    for mark in (b"file", b"document", b"video_url", b"audio_url", b"input_audio", b"item_reference", b"web_", b"mcp",
                 b"container_upload")
)  # fmt: skip
_ESCAPED = re.compile(rb"\\u00[2-7]")  # a letter that need not be: it may hide a mark
_TOOLS = ("web_search_", "web_fetch_", "mcp")  # of the vendor's own: what they find is read as a prompt
_PICTURES = ("image", "image_url", "input_image")  # of a bounded size, counted by `weight`
_HOLDERS = ("source", "file", "document_url", "video_url", "audio_url", "input_audio")
_PLACES = ("url", "file_url", "file_data", "document_url", "video_url", "audio_url", "input_audio", "data")


def refers_elsewhere(body: JsonBody) -> bool:
    """Whether a part of the prompt, of any size, is not in the request."""
    if any(_is_reference(body, name) for name in _KEPT):
        return True
    if not any(mark in body.raw for mark in _MARKS) and not _ESCAPED.search(body.raw):
        return False
    return any(_is_elsewhere(part) for name in _LISTS if body.kind(name) == "list" for part in _parts(body.get(name)))


def documents(body: JsonBody) -> int:
    """How many bytes of base64 are documents: their pages may hold more text than their bytes tell of."""
    if not any(mark in body.raw for mark in (b'"file', b'"document', b'"input_file')):
        return 0
    return sum(
        len(value)
        for name in ("messages", "input")
        if body.kind(name) == "list"
        for part in _parts(body.get(name))
        if part.get("type") in ("document", "file", "input_file")
        for value in _values(part)
    )


def _is_reference(body: JsonBody, name: str) -> bool:
    kind = body.kind(name)
    if name == "prompt":  # a text of the completions, or an object that names a stored one
        return kind == "object"
    return kind not in (None, "null")


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


def _is_elsewhere(part: dict[str, Any]) -> bool:
    kind = part.get("type")
    if not isinstance(kind, str) or kind in _PICTURES:
        return False
    if kind == "item_reference" or kind.startswith(_TOOLS):
        return True
    if any("file_id" in held for held in _held(part)):
        return True
    return any("://" in value[:_SCHEME] for value in _values(part))


_SCHEME = 16  # characters in which an address has shown that it is one


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
