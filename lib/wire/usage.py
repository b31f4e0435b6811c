"""What a call used, read from the vendor's own count.

One convention for every vendor, because money depends on it. The input kinds
exclude each other, so the whole prompt is their sum:

    input_tokens             billed at the plain input price
    cache_read_tokens        read from the prompt cache
    cache_write_tokens       written to it (Anthropic: for 5 minutes)
    cache_write_1h_tokens    written to it for an hour

`output_tokens` includes `reasoning_tokens`. All are counts of tokens.

Sources: OpenAI API reference ("The chat completion object", "The response
object", "Create image", "Create transcription"), DeepSeek API reference
("Context caching"), Anthropic API reference ("Messages", "Prompt caching").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lib.wire.paths import Shape


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one call; the module's docstring states the convention.

    `raw` is the vendor's usage object, word for word; when a stream sent it in
    two parts (Anthropic), the two merged.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def prompt_tokens(self) -> int:
        """The whole prompt: plain input, cache reads and cache writes."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens + self.cache_write_1h_tokens


def openai_usage(obj: Any) -> Usage:
    """Read a usage object of the OpenAI dialect; a wrong type or a negative number counts as 0.

    The prompt count includes cache reads and writes, which are taken out here.
    Some vendors (xAI, Gemini) leave reasoning out of the completion count but
    not out of the total; the total decides then, since reasoning is billed.
    """
    raw = _object(obj)
    prompt = _count(raw, "prompt_tokens") or _count(raw, "input_tokens")
    output = _count(raw, "completion_tokens") or _count(raw, "output_tokens")
    before = _object(raw.get("prompt_tokens_details") or raw.get("input_tokens_details"))
    after = _object(raw.get("completion_tokens_details") or raw.get("output_tokens_details"))
    read = min(_count(before, "cached_tokens") or _count(raw, "prompt_cache_hit_tokens"), prompt)
    written = min(_count(before, "cache_write_tokens"), prompt - read)
    return Usage(
        input_tokens=prompt - read - written,
        output_tokens=max(output, _count(raw, "total_tokens") - prompt),
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=_count(after, "reasoning_tokens"),
        raw=raw,
    )


def anthropic_usage(obj: Any) -> Usage:
    """Read a usage object of the Anthropic dialect; a wrong type or a negative number counts as 0.

    Its `input_tokens` already excludes the cache. Writes that the breakdown by
    lifetime does not explain count as the default, 5 minutes.
    """
    raw = _object(obj)
    written = _object(raw.get("cache_creation"))
    hour = _count(written, "ephemeral_1h_input_tokens")
    minutes = _count(written, "ephemeral_5m_input_tokens")
    return Usage(
        input_tokens=_count(raw, "input_tokens"),
        output_tokens=_count(raw, "output_tokens"),
        cache_read_tokens=_count(raw, "cache_read_input_tokens"),
        cache_write_tokens=max(_count(raw, "cache_creation_input_tokens") - hour, minutes),
        cache_write_1h_tokens=hour,
        reasoning_tokens=_count(_object(raw.get("output_tokens_details")), "thinking_tokens"),
        raw=raw,
    )


def to_openai(usage: Usage) -> dict[str, Any]:
    """The usage object of a chat completion."""
    prompt = usage.prompt_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens + usage.cache_write_1h_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def to_anthropic(usage: Usage) -> dict[str, Any]:
    """The usage object of a message."""
    written: dict[str, Any] = {
        "ephemeral_5m_input_tokens": usage.cache_write_tokens,
        "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
    }
    result: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens + usage.cache_write_1h_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": written,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        result["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return result


class _Whole(msgspec.Struct):
    """The only field of a whole body that is decoded; the rest is skipped, however large."""

    usage: dict[str, Any] | None = None


_whole = msgspec.json.Decoder(_Whole)
_MOST = 2**53  # the largest count that is exact as a float: counters and JSON readers hold no more
_UNCOUNTED = frozenset({Shape.SPEECH, Shape.TOKEN_COUNT, Shape.MODERATION})
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the JSON decoder raises over bytes that are not (sane) JSON of the expected type."""


def find_usage(shape: Shape, body: bytes) -> Usage | None:
    """The usage in a whole answer of this shape; None when there is none, or none that can be read."""
    if shape in _UNCOUNTED:
        return None
    try:
        raw = _whole.decode(body).usage
    except UNREADABLE:
        return None
    return read_usage(shape, raw) if raw else None


def read_usage(shape: Shape, raw: Mapping[str, Any]) -> Usage:
    """Read a usage object in the dialect to which `shape` belongs."""
    return anthropic_usage(raw) if shape is Shape.MESSAGE else openai_usage(raw)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(obj: Mapping[str, Any], key: str) -> int:
    value = obj.get(key)
    return value if type(value) is int and 0 < value <= _MOST else 0
