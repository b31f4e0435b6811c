"""The periods of budgets: days, weeks and months of UTC, without gaps, each moment in one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import Budget, Period, period

MOMENTS = st.integers(0, int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1000)
RECURRING = st.sampled_from(("day", "week", "month"))


def at(moment: int) -> datetime:
    return datetime.fromtimestamp(moment / 1000, UTC)


@given(MOMENTS, RECURRING)
def test_a_moment_lies_in_its_period_and_the_next_begins_where_it_ends(now: int, name: Period):
    budget = Budget(1, name)
    start, end = budget.start(now), budget.end(now)
    assert end is not None
    assert start <= now < end
    assert budget.start(start) == budget.start(end - 1) == start
    assert budget.start(end) == end


@given(MOMENTS)
def test_days_begin_at_midnight_weeks_on_monday_months_on_the_first(now: int):
    day, week, month = (at(Budget(1, name).start(now)) for name in ("day", "week", "month"))
    assert (day.hour, day.minute, day.second, day.microsecond) == (0, 0, 0, 0)
    assert day.date() == at(now).date()
    assert (week.weekday(), week.time()) == (0, day.time())
    assert (month.year, month.month, month.day) == (at(now).year, at(now).month, 1)


@given(MOMENTS)
def test_a_total_is_one_period_without_an_end(now: int):
    assert (Budget(1, "total").start(now), Budget(1, "total").end(now)) == (0, None)


@pytest.mark.parametrize("text", ["", "year", "Day", "days"])
def test_there_are_no_others(text: str):
    with pytest.raises(ValueError, match="day, week, month, total"):
        period(text)
