"""What a translation may leave out without a word: one table for each direction.

`HINTS` cannot change an answer: they speed it up, make it cheaper, label it, or
concern the gateway itself. `NEUTRAL` lists, for fields that the other side does
not have, the values that ask for nothing. Everything else that has no
equivalent is refused with `Untranslatable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.base.errors import Untranslatable
from lib.wire.reader import Json

OPENAI_HINTS = frozenset(
    {
        "metadata",  # labels of a stored completion; storing is refused
        "prediction",  # makes an expected answer faster
        "prompt_cache_key",  # caching: price and speed
        "prompt_cache_options",
        "prompt_cache_retention",
        "stream_options",  # read by the gateway, which writes the stream
    }
)
"""Top-level fields of a chat completion. Deeper: `image_url.detail` (how closely, at what price, to look at an
image), an assistant message's `annotations` and `reasoning_content` (what an earlier answer carried beside its
text; a thinking block needs its vendor's signature), a tool message's `name` (its call has it)."""

OPENAI_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "n": (1,),
    "presence_penalty": (0,),
    "store": (False,),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
}

ANTHROPIC_HINTS = frozenset(
    {
        "cache_control",  # caching: price and speed; OpenAI caches by itself
    }
)
"""Top-level fields of a message. Deeper: `cache_control` of any block or tool, a tool's `eager_input_streaming`,
`citations` of a text (what an earlier answer carried beside it),
`thinking` of type `adaptive` (the model decides, as OpenAI's reasoning models do) and its `display`, and `thinking`
or `redacted_thinking` blocks of earlier turns (a chat completion has no place for them)."""

ANTHROPIC_NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "speed": ("standard",),
}

BEDROCK_HINTS = frozenset(
    {
        "anthropic_version",  # of the HTTP API that Converse replaces
        "metadata",  # the user's identifier, for the vendor's abuse detection; Converse has no such field
        "model",  # an argument of its own
        "stream",  # two operations
    }
)
"""Top-level fields of a message on its way to Converse. Deeper: as above, and `cache_control` inside a tool result."""


def left_over(
    body: Json, translated: frozenset[str], hints: frozenset[str], neutral: Mapping[str, tuple[Any, ...]]
) -> None:
    """Raise `Untranslatable` for the first field of `body` that asks for something nobody translates."""
    for key, value in body.items():
        if value is None or key in translated or key in hints or value in neutral.get(key, ()):
            continue
        raise Untranslatable(key[:64])
