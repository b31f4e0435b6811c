"""What a right answer says: its text, its tool calls, its usage. The dialects only wrap it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from tests.upstream.record import Call

CREATED = 1_760_000_000  # a fixed Unix time, so that answers can be compared
WORDS = ("Zwölf ", "gulls ", "über ", "港 ", "🐦 ", "count ", "the ", "boats, ", "чайки ", "too; ")
PROMPT_TOKENS = 21
CACHE_READ_TOKENS = 1024
CACHE_WRITE_TOKENS = 64
REASONING_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Recipe:
    """The knobs of a right answer.

    `chunks` fragments of text, sent `gap` seconds apart when streamed, each of
    `fragment_size` characters (0: a word). `tools`: two parallel tool calls
    instead of text. `cached`: usage with cache reads, cache writes and
    reasoning tokens. `usage`: False leaves usage out, also when asked for.
    `cut_short`: the answer stopped at its token limit.
    """

    chunks: int = 5
    gap: float = 0.0
    fragment_size: int = 0
    tools: bool = False
    cached: bool = False
    usage: bool = True
    cut_short: bool = False

    @property
    def fragments(self) -> list[str]:
        """The text in the pieces it is streamed in."""
        words = (WORDS[index % len(WORDS)] for index in range(self.chunks))
        if not self.fragment_size:
            return list(words)
        return [(word * self.fragment_size)[: self.fragment_size] for word in words]

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.fragments)

    @property
    def output_tokens(self) -> int:
        """Tokens of the answer, reasoning included: one for each fragment of text, or 40 for the tool calls."""
        return (40 if self.tools else self.chunks) + (REASONING_TOKENS if self.cached else 0)

    @property
    def input_tokens(self) -> int:
        """Tokens of the prompt, cached ones included."""
        return PROMPT_TOKENS + (CACHE_READ_TOKENS + CACHE_WRITE_TOKENS if self.cached else 0)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call; `fragments` joined are its arguments as JSON."""

    number: int
    name: str
    fragments: tuple[str, ...]

    @property
    def arguments(self) -> str:
        """The arguments as JSON text."""
        return "".join(self.fragments)


def tool_calls(call: Call) -> tuple[ToolCall, ToolCall]:
    """Two calls of the tools that the request offers, or of tools of our own when it offers none."""
    names = [_tool_name(tool) for tool in call.json.get("tools") or ()] or ["get_weather", "get_tide"]
    first = ToolCall(0, names[0], ('{"pla', 'ce": "Zür', 'ich", "unit"', ': "celsius"}'))
    second = ToolCall(1, names[-1], ('{"place":', ' "Lindau \\"', 'Hafen\\" ⚓"}'))
    return first, second


def _tool_name(tool: dict[str, Any]) -> str:
    inner = tool.get("function", tool)
    return str(inner.get("name", "unnamed"))


def encode(value: Any) -> bytes:
    """Compact JSON."""
    return msgspec.json.encode(value)


def sse(value: Any, name: str | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2), with its `event:` line when it has a name."""
    line = f"event: {name}\n".encode() if name else b""
    return line + b"data: " + encode(value) + b"\n\n"


def mark(call: Call, prefix: str) -> str:
    """An identifier in a vendor's style, the same for the same call and prefix."""
    return f"{prefix}{call.number:024d}"
