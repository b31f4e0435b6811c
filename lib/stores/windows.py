"""What a sliding window counter holds, and the arithmetic that follows from it.

Time is cut into windows. What counts now is the current window's count and a part of the previous one's, as large as
the part of it that the last `seconds` still cover (https://limits.readthedocs.io/en/stable/strategies.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import NamedTuple, Protocol

BLUR = 1e-6  # seconds: a time of day, as a float, is exact to a quarter of that


class Hit(NamedTuple):
    """What is asked of one limit: `amount` more, where `limit` is allowed in `seconds`."""

    key: str
    limit: int
    seconds: int
    amount: int


class Window(NamedTuple):
    """How a counter stands. A `ttl` is the seconds until that count no longer matters; 0.0 when there is none.

    `mark` tells the current window from others: it means something to the counters that gave it.
    """

    previous: int
    previous_ttl: float
    current: int
    current_ttl: float
    mark: float

    def used(self, seconds: int) -> int:
        """What counts now."""
        return floor(self.previous * self.previous_ttl / seconds + self.current)

    def fits(self, hit: Hit) -> bool:
        """Whether a hit is within its limit."""
        return self.used(hit.seconds) + hit.amount <= hit.limit

    def wait(self, hit: Hit) -> float | None:
        """Seconds until the hit would be admitted if nobody else came, to the millisecond after.

        0.0 when it fits now, None when it never does.
        """
        if self.fits(hit):
            return 0.0
        if hit.amount > hit.limit:
            return None
        left_of_current = max(self.current_ttl - hit.seconds, 0.0)
        free = hit.limit - hit.amount + 1  # what counts must come below this
        if self.current < free:
            return _just_after(self.previous_ttl - (free - self.current) * hit.seconds / self.previous)
        return _just_after(left_of_current + max(0.0, hit.seconds - free * hit.seconds / self.current))


class Answer(NamedTuple):
    """What became of some hits: which were refused, by their places (none: all are counted), and how all stand now."""

    refused: tuple[int, ...]
    windows: tuple[Window, ...]


class Counters(Protocol):
    """Sliding window counters that more than one process shares."""

    def take(self, hits: Sequence[Hit]) -> Answer:
        """Count all hits, or none when one does not fit. Raises `StoreUnavailable`."""

    def correct(self, hit: Hit, mark: float, change: int) -> None:
        """Change the count of the window in which `hit` was counted, while it still counts; never below 0.

        Other windows are left alone, the one that follows too. Raises `StoreUnavailable`.
        """


def _just_after(seconds: float) -> float:
    return (floor((seconds + BLUR) * 1000) + 1) / 1000
