"""What a vendor's own usage object says beyond the counts of `Usage`, where prices need it.

Sources: OpenAI API reference ("The chat completion object": `audio_tokens`; "Create image" and "Create
transcription": `image_tokens`, `input_token_details`, `seconds`), Mistral API reference ("Audio":
`prompt_audio_seconds`), Anthropic API reference ("Messages": `server_tool_use`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from lib.wire.usage import Usage

_BEFORE = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_AFTER = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_MOST = 2**53  # the largest count that is exact as a float


def _before(kind: str) -> Callable[[Usage], int]:
    """Counts tokens of a kind in the prompt. Those read from the cache are not told apart, and count as text."""
    key = f"{kind}_tokens"
    return lambda usage: min(_detail(usage.raw, _BEFORE, key), usage.input_tokens)


def _after(kind: str) -> Callable[[Usage], int]:
    """Counts tokens of a kind in the answer."""
    key = f"{kind}_tokens"
    return lambda usage: min(_detail(usage.raw, _AFTER, key), usage.output_tokens)


COUNTS: Mapping[str, Callable[[Usage], int]] = {
    "input_audio": _before("audio"),
    "input_image": _before("image"),
    "input_video": _before("video"),
    "output_audio": _after("audio"),
    "output_image": _after("image"),
    "output_video": _after("video"),
    "output_reasoning": lambda usage: min(usage.reasoning_tokens, usage.output_tokens),
}
"""How many of the tokens are of a kind that may have a price of its own."""


def side(name: str) -> Literal["input", "output"]:
    """Which of the plain rates a special one replaces."""
    return "input" if name.startswith("input") else "output"


def audio_seconds(raw: Mapping[str, Any]) -> float:
    """The seconds of audio that were heard, 0 when the vendor does not say."""
    for key in ("seconds", "prompt_audio_seconds"):
        value = raw.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _MOST:
            return float(value)
    return 0.0


def searches(raw: Mapping[str, Any]) -> int:
    """The web searches that the vendor made while answering."""
    return _detail(raw, ("server_tool_use",), "web_search_requests")


def _detail(raw: Mapping[str, Any], places: tuple[str, ...], key: str) -> int:
    for place in places:
        details = raw.get(place)
        if isinstance(details, dict):
            value = details.get(key)
            return value if type(value) is int and 0 < value <= _MOST else 0
    return 0
