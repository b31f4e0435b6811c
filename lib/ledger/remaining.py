"""What is left of budgets, as a caller reads it."""

from __future__ import annotations

import msgspec

from lib.base.money import show
from lib.ledger.report import moment
from lib.stores import Standing


class BudgetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One budget in the period that runs now; `period` is `run` for the budget of a run."""

    period: str
    run: str | None
    limit_usd: str
    spent_usd: str
    reserved_usd: str
    left_usd: str
    resets_at: str | None


def remaining(standing: Standing, end: int | None = None, run: str | None = None) -> BudgetRow:
    """A row for what a line holds. `end` is when its period ends, in milliseconds since 1970; None when never."""
    return BudgetRow(
        period=standing.line.period if run is None else "run",
        run=run,
        limit_usd=show(standing.line.cap),
        spent_usd=show(standing.spent),
        reserved_usd=show(standing.reserved),
        left_usd=show(standing.left),
        resets_at=None if end is None else moment(end),
    )
