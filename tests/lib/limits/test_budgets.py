"""From budgets to lines of the books, and what a caller is told of a line that has too little left."""

from __future__ import annotations

import pytest

from lib.base import Budget, Period
from lib.base.errors import RunSpent
from lib.limits import budget_lines, exceeded, run_line
from lib.stores import Standing

NOW = 1_800_000_000_000  # 2027-01-15, a Friday, 08:00 UTC
DAY = 24 * 3600 * 1000
USD = 10**9


def test_each_budget_has_a_line_for_the_period_of_the_moment():
    day, total = budget_lines("key:1", (Budget(5 * USD, "day"), Budget(9 * USD, "total")), NOW)
    assert (day.owner, day.period, day.start, day.cap) == ("key:1", "day", NOW // DAY * DAY, 5 * USD)
    assert day.lapses_after is not None
    assert day.lapses_after > day.start + DAY
    assert (total.period, total.start, total.cap, total.lapses_after) == ("total", 0, 9 * USD, None)


def test_runs_of_two_owners_are_never_one_line():
    names = [("token:a/x", "y/z"), ("token:a/x/y", "z"), ("token:a/x/y/z", ""), ("token:a", "x/y/z")]
    assert len({run_line(owner, run, USD, NOW, DAY).owner for owner, run in names}) == len(names)


@pytest.mark.parametrize(
    ("period", "words", "end"),
    [
        ("day", "of this day", "2027-01-16T00:00:00Z"),
        ("week", "of this week", "2027-01-18T00:00:00Z"),
        ("month", "of this month", "2027-02-01T00:00:00Z"),
        ("total", "of this key", None),
    ],
)
def test_the_error_says_which_what_is_left_and_when_it_begins_anew(period: Period, words: str, end: str | None):
    (line,) = budget_lines("key:1", (Budget(5 * USD, period),), NOW)
    error = exceeded(Standing(line, 4 * USD, USD // 2), 2 * USD)
    assert f"The budget {words} does not allow" in error.message
    assert "it could cost up to 2.00 USD, and 0.50 of 5.00 USD is left." in error.message
    assert error.message.endswith(f"It begins anew at {end}." if end else "is left.")


def test_the_error_of_a_run_speaks_of_the_run():
    error = exceeded(Standing(run_line("key:1", "r", 2 * USD, NOW, DAY), 2 * USD, 0), 1)
    assert isinstance(error, RunSpent)
    assert "The budget of this run does not allow this call" in error.message
    assert error.resets_at is None


def test_lines_that_were_made_before_are_those_of_their_day_alone():
    midnight = 1_700_006_400_000
    budgets = (Budget(5 * USD, "day"), Budget(9 * USD, "total"))
    day, total = budget_lines("key:1", budgets, midnight - 1)
    next_day, same_total = budget_lines("key:1", budgets, midnight)
    assert (day.start, next_day.start) == (midnight - 86_400_000, midnight)
    assert total == same_total
    assert budget_lines("key:2", budgets, midnight)[0].owner == "key:2"
