"""What one model costs, as a value. The cost of a call is, in USD,

    tokens of each kind * its rate / 1e6      the rates of the tier that the whole prompt falls into
    + call + seconds of the call * second + seconds of audio * audio_second + searches * search

where tokens of audio, images, video and reasoning may have rates of their own. It is reckoned in whole
numbers over one denominator, so it is exact, and rounded once, half to even, to nano-USD.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from lib.limits.rate_card import Flat, RateCard, Step, Tier, Units, compiled, rounded
from lib.wire import COUNTS, Usage, audio_seconds, searches

Source = Literal["models.toml", "genai-prices", "free"]
_MICRO = 1_000_000
_MOST_SECONDS = 1e9
MOST_NANO = 10**17  # of one call: a vendor's count beyond belief must not be more than the books can hold


class Worst(NamedTuple):
    """The most that a call can be. `writes`: the prompt may be written to the cache, for an hour when `hour`;
    `media`: some of it is no text; `characters` are to be spoken."""

    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    audio_seconds: float = 0.0
    characters: int = 0
    writes: bool = False
    hour: bool = False
    media: bool = False


@dataclass(frozen=True, slots=True)
class Price:
    """A rate card: `rates`, those of larger prompts in rising `tiers`, and what does not go by tokens.

    `context_window` is the most tokens a prompt may have, `reserve_output` what an answer is assumed to have
    when the request names no maximum; None when not known.
    """

    source: Source
    rates: RateCard = field(default_factory=RateCard)
    tiers: tuple[Tier, ...] = ()
    flat: Flat = field(default_factory=Flat)
    context_window: int | None = None
    reserve_output: int | None = None
    _units: Units = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Bring all rates over one denominator."""
        object.__setattr__(self, "_units", compiled([Tier(-1, self.rates), *self.tiers], self.flat))

    @property
    def is_free(self) -> bool:
        """Whether no call can cost anything."""
        dearest = (max(step.dearest_input, step.dearest_output, *step[1:6]) for step in self._units.steps)
        return not any(dearest) and not any(self._units.flat)

    def knows(self, kind: str) -> bool:
        """Whether it holds for tokens of a kind, such as `output_audio`: an operator's row is the whole price."""
        return self.source != "genai-prices" or kind in self.rates.special

    def cost(self, usage: Usage, seconds: float = 0.0) -> int:
        """What a call cost, in nano-USD. `seconds` is how long it took; audio is as long as the vendor says."""
        per, steps, flat = self._units
        step = steps[0] if len(steps) == 1 else _step(steps, usage.prompt_tokens)
        total = (
            flat.call
            + usage.input_tokens * step.input
            + usage.output_tokens * step.output
            + usage.cache_read_tokens * step.cache_read
            + usage.cache_write_tokens * step.cache_write
            + usage.cache_write_1h_tokens * step.cache_write_1h
        )
        for name, more in step.special:
            total += COUNTS[name](usage) * more
        if flat.second:
            total += _micros(seconds) * flat.second
        if flat.audio_second:
            total += _micros(audio_seconds(usage.raw)) * flat.audio_second
        if flat.search:
            total += searches(usage.raw) * flat.search
        return min(rounded(max(total, 0), per), MOST_NANO)

    def worst(self, most: Worst) -> int:
        """What a call that is no more than `most` costs, in nano-USD."""
        per, steps, flat = self._units
        step = _step(steps, most.input_tokens)
        dearest = max(
            step.dearest_input if most.media else step.input,
            step.cache_write if most.writes else 0,
            step.cache_write_1h if most.writes and most.hour else 0,
        )
        total = flat.call + most.input_tokens * dearest + most.output_tokens * step.dearest_output
        if flat.second or flat.audio_second or flat.characters:
            total += _micros(most.seconds) * flat.second + _micros(most.audio_seconds) * flat.audio_second
            total += most.characters * flat.characters
        return min(rounded(total, per), MOST_NANO)


def _step(steps: tuple[Step, ...], prompt_tokens: int) -> Step:
    """The tier that a prompt falls into."""
    return next((step for step in steps if prompt_tokens > step.above), steps[-1])


def _micros(seconds: float) -> int:
    """Seconds in whole millionths; 0 for what is no span of time."""
    return round(seconds * _MICRO) if 0 < seconds <= _MOST_SECONDS else 0
