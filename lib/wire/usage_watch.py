"""Reading usage out of a stream that is only passing through."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from lib.wire.paths import Dialect, Shape
from lib.wire.sse import Event, events
from lib.wire.usage import UNREADABLE, Usage, anthropic_usage, openai_usage

_MARK = b'"usage"'
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
# Where the dialects put what a model produces: text, arguments of tools, thoughts.
_CONTENT = re.compile(
    rb'"(?:content|text|partial_json|thinking|arguments|reasoning|reasoning_content|refusal|delta)"'
    rb':\s?"((?>[^"\\]++|\\.)*+)"'
)


class _Inner(msgspec.Struct):
    model: Any = None
    usage: Any = None


class _Part(msgspec.Struct):
    """Every place where a streamed event may keep its usage; nothing else is decoded.

    Chat, completions, images, transcription, `message_delta`: at the top.
    Responses API: in `response`. Anthropic's `message_start`: in `message`.
    """

    model: Any = None
    usage: Any = None
    response: _Inner | None = None
    message: _Inner | None = None


_part = msgspec.json.Decoder(_Part)


class UsageWatch:
    """Sees every block of a stream and remembers the usage, at next to no cost while there is none.

    `usage` is the last one seen, None before. `final` tells whether it is the
    vendor's closing count: Anthropic opens a stream with the input tokens and
    closes it with all of them, so a stream that was cut has a usage that is not
    final. `model` is the served model, as far as an event with usage named it. `pieces` and `content` count
    what the stream brought, in pieces and in bytes, for want of a final count.
    """

    def __init__(self, dialect: Dialect, shape: Shape) -> None:
        self.usage: Usage | None = None
        self.final = False
        self.model: str | None = None
        self.pieces = 0
        self.content = 0
        self._merges = dialect is Dialect.ANTHROPIC

    def see(self, block: bytes) -> None:
        """Look at complete events. Never raises, whatever they hold."""
        found = _CONTENT.findall(block)
        self.pieces += len(found)
        self.content += sum(map(len, found))
        if _MARK in block and _USAGE.search(block):
            counted = [event for event in events(block) if _USAGE.search(event.data)]
            (self._see_anthropic if self._merges else self._see_openai)(counted)

    def _see_openai(self, found: list[Event]) -> None:
        """Only the last count matters: some vendors send a running one with every chunk."""
        for event in reversed(found):
            part = _decode(event.data)
            inner = part and (part.response or part)
            if inner and isinstance(inner.usage, dict):
                self._keep_model(inner.model)
                self.usage = openai_usage(inner.usage)
                self.final = True
                return

    def _see_anthropic(self, found: list[Event]) -> None:
        for event in found:
            part = _decode(event.data)
            inner = part and (part.message or part)
            if inner and isinstance(inner.usage, dict):
                self._keep_model(inner.model)
                self.usage = anthropic_usage(merge(self.usage.raw if self.usage else {}, inner.usage))
                self.final = inner is part

    def _keep_model(self, model: Any) -> None:
        if isinstance(model, str):
            self.model = model


def merge(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two usage objects of one Anthropic stream as one.

    The counts are cumulative, so the larger one is the later one: a server that
    leaves a count out of its second event, or sends 0 there, loses nothing.
    """
    merged = dict(first)
    for key, value in second.items():
        known = merged.get(key)
        if type(value) is int and type(known) is int:
            merged[key] = max(value, known)
        elif value is not None:
            merged[key] = value
    return merged


def _decode(data: bytes) -> _Part | None:
    try:
        return _part.decode(data)
    except UNREADABLE:
        return None
