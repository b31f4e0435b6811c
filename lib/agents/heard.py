"""What a model said, put together from a whole chat completion or from the events of one.

Source: OpenAI API reference, the objects "Chat completion" and "Chat completion chunk". Only the first choice counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lib.agents.tools import ToolCall
from lib.base.errors import VendorProtocolError
from lib.wire import events

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
Json = dict[str, Any]


@dataclass(slots=True)
class Heard:
    """The text and the calls of an answer. `failed`: a stream ended with an error event."""

    content: str = ""
    calls: list[ToolCall] = field(default_factory=list)
    failed: bool = False


def whole(body: bytes) -> Heard:
    """The answer in a whole body. Raises `VendorProtocolError`."""
    try:
        message = msgspec.json.decode(body)["choices"][0]["message"]
    except (*_UNREADABLE, LookupError, TypeError):
        raise VendorProtocolError(detail="not a chat completion") from None
    message = _object(message)
    return Heard(_text(message.get("content")), [_call(each) for each in _objects(message.get("tool_calls"))])


def streamed(blocks: Iterable[bytes]) -> Heard:
    """The answer in blocks of whole events. All blocks are read, so that the stream knows that it was."""
    texts: list[str] = []
    calls = _Calls()
    failed = False
    for block in blocks:
        for event in events(block):
            chunk = _decoded(event.data)
            failed = failed or bool(chunk.get("error"))
            delta = _delta(chunk)
            texts.append(_text(delta.get("content")))
            calls.feed(_objects(delta.get("tool_calls")))
    return Heard("".join(texts), calls.joined(), failed)


@dataclass(slots=True)
class _Parts:
    """The fragments of one call."""

    id: str | None = None
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class _Calls:
    """Joins the fragments of calls by their index."""

    def __init__(self) -> None:
        self._parts: dict[int, _Parts] = {}

    def feed(self, fragments: Iterable[Json]) -> None:
        for fragment in fragments:
            parts = self._parts.setdefault(self._index(fragment), _Parts())
            call = _call(fragment)
            parts.id = parts.id or call.id
            parts.name = parts.name or call.name
            parts.arguments.append(call.arguments)

    def joined(self) -> list[ToolCall]:
        """The calls in the order of their index."""
        found = (self._parts[index] for index in sorted(self._parts))
        return [ToolCall(parts.id, parts.name, "".join(parts.arguments)) for parts in found]

    def _index(self, fragment: Json) -> int:
        """Which call a fragment belongs to. Some vendors leave the index out: an id begins another call then."""
        index = fragment.get("index")
        if type(index) is int:
            return index
        last = max(self._parts, default=-1)
        return last + 1 if fragment.get("id") or last < 0 else last


def _call(value: Json) -> ToolCall:
    function = _object(value.get("function"))
    arguments = function.get("arguments")
    if isinstance(arguments, dict):  # some vendors send them decoded
        arguments = msgspec.json.encode(arguments).decode()
    return ToolCall(_text(value.get("id")) or None, _text(function.get("name")), _text(arguments))


def _delta(chunk: Json) -> Json:
    choices = _objects(chunk.get("choices"))
    first = next((choice for choice in choices if choice.get("index", 0) == 0), {})
    return _object(first.get("delta"))


def _decoded(data: bytes) -> Json:
    try:
        return _object(msgspec.json.decode(data))
    except _UNREADABLE:  # `[DONE]`
        return {}


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
