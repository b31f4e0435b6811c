"""Budgets: an amount of money for a day, a week, a month (UTC), or for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

Period = Literal["day", "week", "month", "total"]
PERIODS: tuple[Period, ...] = get_args(Period)
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount in nano-USD (1e-9 USD) that may be spent in each period."""

    amount: int
    period: Period

    def start(self, now: int) -> int:
        """When the period that holds `now` began; both in milliseconds since 1970. Weeks begin on Monday."""
        if self.period == "total":
            return 0
        day = (_EPOCH + now * _MILLISECOND).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.period == "week":
            day -= timedelta(days=day.weekday())
        elif self.period == "month":
            day = day.replace(day=1)
        return (day - _EPOCH) // _MILLISECOND

    def end(self, now: int) -> int | None:
        """When the period that holds `now` ends, in milliseconds since 1970; None for a total."""
        if self.period == "total":
            return None
        start = _EPOCH + self.start(now) * _MILLISECOND
        if self.period == "month":
            end = (start + timedelta(days=31)).replace(day=1)
        else:
            end = start + timedelta(days=1 if self.period == "day" else 7)
        return (end - _EPOCH) // _MILLISECOND


def period(text: str) -> Period:
    """A period by its name. Raises ValueError."""
    if text not in PERIODS:
        raise ValueError(f"the period must be one of {', '.join(PERIODS)}")
    return text
