"""The worst case of a request, for reserving money and tokens before it is sent.

It errs on the side of too much: what is left over is given back when the vendor's usage is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil

from lib.limits.price import Price, Worst
from lib.limits.unseen import Unseen, unseen
from lib.limits.weight import MEDIA_TOKENS, weight
from lib.wire import Dialect, Form, JsonBody, Path, Shape, Usage

MOST_OUTPUT = 1_000_000  # tokens of one answer that are believed of a request
MOST_CHOICES = 100_000  # answers to one request: some vendors know no bound
SECONDS = 30.0  # assumed of a call that is billed by its duration
UNSEEN_TOKENS = 20_000  # that what a request refers to is likely to have: of rates, and where no count comes
MOST_UNSEEN = 200_000  # that it may have, when nobody says how long a prompt can be
SLOWEST = 0.25  # speed of a voice
SPOKEN = 2  # tokens of sound for a character, at the usual speed
FORM_BYTES = 5_000_000  # assumed of a form that does not say its length
AUDIO_BYTES = 4000  # of one second at a low rate (32 kbit/s): the longest that a file can be
AUDIO_TOKENS = 20  # of one second that is heard, or as many for what is written down of it

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_NUMBER = re.compile(r"\s*\+?[0-9](?:_?[0-9]){0,19}(?:\.0*)?\s*")
_NO_OUTPUT = frozenset({Shape.EMBEDDING, Shape.EMBED, Shape.MODERATION, Shape.TOKEN_COUNT})


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that a request is taken to use: tokens in, tokens out, and nano-USD.

    What the request does not show counts among the tokens as much as is likely, and in the cost as much as can be.
    `assumed` are the tokens that one answer was taken to have at most, when the request does not say.
    """

    input_tokens: int
    output_tokens: int
    cost_nano: int
    assumed: int | None = None


NOTHING = Estimate(0, 0, 0)


def estimate(
    path: Path,
    body: JsonBody | Form,
    price: Price,
    default_output: int,
    default_input: int = MOST_UNSEEN,
    beyond: Unseen | None = None,
) -> Estimate:
    """The worst case of a request. `default_output` is assumed of an answer when neither the request nor the
    price says how long it may be, `default_input` of a prompt that is not all in the request, likewise.
    `beyond` is what `unseen` says of the body, for who asks for several prices.
    Raises `BadRequest` for a number in the body that nothing can hold."""
    if path.shape is Shape.TOKEN_COUNT:  # vendors count for nothing
        return NOTHING
    beyond = unseen(body) if beyond is None else beyond
    assumed = default_output if price.reserve_output is None else price.reserve_output
    most = _of_form(body, assumed) if isinstance(body, Form) else _of_json(path, body, assumed)
    if beyond.elsewhere:
        most = most._replace(input_tokens=most.input_tokens + UNSEEN_TOKENS)
    window = _window(price)
    if window is not None:
        most = most._replace(input_tokens=min(most.input_tokens, window))
    named = isinstance(body, Form) or _limit(body, 0) > 0
    full = most._replace(input_tokens=_full(beyond, price, most.input_tokens, default_input))
    return Estimate(most.input_tokens, most.output_tokens, price.worst(full), None if named else assumed)


def estimated_usage(input_tokens: int, events: int, content_bytes: int) -> Usage:
    """What a call used whose vendor did not say (or not to the end): the estimate's input, and as output
    one token for each event that bore content, or for 4 bytes of content, whichever is more."""
    return Usage(input_tokens=max(input_tokens, 0), output_tokens=max(events, -(-content_bytes // 4), 0))


def _of_json(path: Path, body: JsonBody, assumed: int) -> Worst:
    tokens, media = weight(body.raw)
    spoken = body.get("input") if path.shape is Shape.SPEECH and body.kind("input") == "string" else ""
    return Worst(
        input_tokens=tokens,
        output_tokens=_output(path, body, assumed, len(spoken)),
        seconds=SECONDS,
        characters=len(spoken),
        # vendors of OpenAI's dialect may write to the cache unasked
        writes=path.dialect is Dialect.OPENAI or b'"cache_control"' in body.raw,
        hour=b'"1h"' in body.raw,
        media=media,
    )


def _output(path: Path, body: JsonBody, assumed: int, characters: int) -> int:
    """The most tokens of all answers together. A sound is as long as its text and its speed make it."""
    if path.shape in _NO_OUTPUT:
        return 0
    if path.shape is Shape.SPEECH:
        speed = body.get("speed") if body.kind("speed") == "number" else 1
        return max(assumed, min(ceil(characters * SPOKEN / min(max(speed, SLOWEST), 1)), MOST_OUTPUT))
    return _limit(body, assumed) * _choices(path, body)


def _full(beyond: Unseen, price: Price, tokens: int, default: int) -> int:
    """The most tokens of a prompt, with what the request only refers to and what its bytes do not tell."""
    window = _window(price)
    if beyond.elsewhere or (beyond.sound and not price.knows("input_audio")):
        dearest = (price.context_window or 0) + 1  # falls into the dearest tier
        return window or max(tokens, default, dearest)
    tokens += beyond.documents
    return tokens if window is None else min(tokens, window)


def _of_form(form: Form, assumed: int) -> Worst:
    """A form carries a sound to be written down."""
    size = form.length(form.get("model") or "")
    seconds = (FORM_BYTES if size is None else size) / AUDIO_BYTES
    tokens = int(seconds * AUDIO_TOKENS)
    return Worst(
        input_tokens=tokens + MEDIA_TOKENS,
        output_tokens=max(assumed, tokens),
        seconds=SECONDS,
        audio_seconds=seconds,
        media=True,
    )


def _limit(body: JsonBody, assumed: int) -> int:
    """The most tokens that the request allows an answer."""
    named = [_number(body, name) for name in _LIMITS if name in body]
    largest = max(named, default=0)
    return min(largest, MOST_OUTPUT) if largest > 0 else assumed


def _choices(path: Path, body: JsonBody) -> int:
    """How many answers the request asks for. Completions have several prompts, and drafts that are paid for."""
    wanted = max(_number(body, "n"), 1)
    if path.shape is Shape.COMPLETION:
        wanted = max(wanted, _number(body, "best_of"))
        if body.kind("prompt") == "list":
            prompts = body.get("prompt")
            wanted *= max(1, sum(not isinstance(prompt, int) for prompt in prompts))
    return min(wanted, MOST_CHOICES)


def _number(body: JsonBody, name: str) -> int:
    """A whole number of the body, 0 when it is none. Some vendors take `"7"` for 7."""
    kind = body.kind(name)
    value = body.get(name) if kind in ("number", "string") else 0
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value) else 0
    return int(value) if value == value // 1 else 0


def _window(price: Price) -> int | None:
    """The bound on a prompt; None when there are prices for prompts beyond it, so that it cannot be one."""
    window = price.context_window
    beyond = window is not None and price.tiers and price.tiers[-1].above >= window
    return None if beyond else window
