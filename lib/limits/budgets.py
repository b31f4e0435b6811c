"""From a caller's budgets to lines of the books, and from an overdrawn line to what the caller is told."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from lib.base import Budget, period
from lib.base.errors import BudgetExceeded, RunSpent
from lib.base.money import show
from lib.stores import Line, Standing

DAY = 24 * 3600 * 1000
KEPT = 62 * DAY  # milliseconds that a line is kept after its period
RUN = "run"
LINES_KNOWN = 4096


def budget_lines(owner: str, budgets: tuple[Budget, ...], now: int) -> tuple[Line, ...]:
    """The lines of an owner's budgets for the periods that hold `now`, in milliseconds since 1970."""
    return _lines(owner, budgets, now // DAY * DAY) if budgets else ()


def run_line(owner: str, run: str, cap: int, now: int, ttl: int) -> Line:
    """The line of one run of an owner: `cap` nano-USD in all, known until `ttl` milliseconds after its last call."""
    name = f"{RUN}:{len(owner)}:{owner}/{run}"  # the length: owners and runs may both hold a `/`
    return Line(name, "total", 0, cap, now + ttl)


def exceeded(standing: Standing, amount: int) -> BudgetExceeded:
    """The error for a call that could cost `amount` nano-USD, when a line has less left."""
    line = standing.line
    is_run = line.owner.startswith(f"{RUN}:")
    what = "of this run" if is_run else _WORDS[line.period]
    budget = Budget(line.cap, period(line.period))
    now = line.start  # any moment of the period
    end = budget.end(now)
    message = (
        f"The budget {what} does not allow this call: it could cost up to {show(amount)} USD, and "
        f"{show(standing.left)} of {show(line.cap)} USD is left."
    )
    if end is not None:
        message += f" It begins anew at {datetime.fromtimestamp(end / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}."
    return (RunSpent if is_run else BudgetExceeded)(message, resets_at=end)


_WORDS = {"day": "of this day", "week": "of this week", "month": "of this month", "total": "of this key"}


@lru_cache(LINES_KNOWN)
def _lines(owner: str, budgets: tuple[Budget, ...], day: int) -> tuple[Line, ...]:
    """Every period begins at a midnight (UTC), so the lines of a day are those of its first moment."""
    return tuple(_line(owner, budget, day) for budget in budgets)


def _line(owner: str, budget: Budget, now: int) -> Line:
    end = budget.end(now)
    return Line(owner, budget.period, budget.start(now), budget.amount, None if end is None else end + KEPT)
