"""What a call took of its caller's rates, and the words in which it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib.base.errors import RateLimited
from lib.limits.durations import duration
from lib.stores import Hit, Window

Kind = Literal["requests", "tokens"]
Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Counted:
    """One limit as it stood when a call asked. `amount` is what the call holds of it, corrections included."""

    kind: Kind
    hit: Hit
    window: Window
    amount: int

    @property
    def left(self) -> int:
        """What is left."""
        return max(0, self.hit.limit - self.window.used(self.hit.seconds))

    @property
    def reset(self) -> float:
        """Seconds until all of the limit is free again, when nobody comes."""
        key, limit, seconds, _ = self.hit
        return self.window.wait(Hit(key, limit, seconds, limit)) or 0.0

    def headers(self) -> Headers:
        """OpenAI's names (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers)."""
        return [
            (f"x-ratelimit-limit-{self.kind}", str(self.hit.limit)),
            (f"x-ratelimit-remaining-{self.kind}", str(self.left)),
            (f"x-ratelimit-reset-{self.kind}", duration(self.reset)),
        ]


class Taken:
    """What one call took. Empty when its caller has no rates, or when the store was down."""

    __slots__ = ("counted",)

    def __init__(self, counted: Sequence[Counted] = ()) -> None:
        self.counted = counted

    @property
    def tokens(self) -> Counted | None:
        """The tokens that were reserved."""
        return next((counted for counted in self.counted if counted.kind == "tokens"), None)

    def headers(self) -> Headers:
        """The limits as they stood right after, for the answer."""
        return [header for counted in self.counted for header in counted.headers()]


def limited(taken: Taken, refused: Sequence[int]) -> RateLimited:
    """The refusal: it names the limit that takes longest to admit the call."""
    waits = [(taken.counted[place].window.wait(taken.counted[place].hit) or 0.0, place) for place in refused]
    wait, place = max(waits)
    counted = taken.counted[place]
    needs = "" if counted.kind == "requests" else f" and this call needs {counted.hit.amount}"
    error = RateLimited(
        f"Rate limit reached: {counted.hit.limit} {counted.kind} a minute, {counted.left} left{needs}. "
        f"Try again in {duration(wait)}; all of it is free again in {duration(counted.reset)}.",
        retry_after=wait,
    )
    error.headers = tuple(taken.headers())
    return error


def too_large(kind: Kind, hit: Hit) -> RateLimited:
    """The refusal of a call that no waiting helps."""
    error = RateLimited(
        f"This call needs {hit.amount} {kind} and the limit is {hit.limit} {kind} a minute: it can never be admitted."
    )
    error.retryable = False
    error.headers = ((f"x-ratelimit-limit-{kind}", str(hit.limit)),)
    return error
