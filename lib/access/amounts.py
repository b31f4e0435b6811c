"""Budgets as people write them: `50/month`, in USD."""

from __future__ import annotations

from functools import lru_cache

from lib.base import Budget, money, period


@lru_cache(maxsize=1024)
def parse_budget(text: str) -> Budget:
    """`12.50/day`: an amount of USD for a day, week, month (UTC), or in total. Raises ValueError; echoes nothing."""
    amount, slash, name = text.partition("/")
    if not slash:
        raise ValueError("a budget is an amount and a period, such as 50/month")
    return Budget(money.to_nano(money.parse_usd(amount)), period(name))


def show_budget(budget: Budget) -> str:
    """A budget as `parse_budget` reads it."""
    return f"{money.show(budget.amount).removesuffix('.00')}/{budget.period}"
