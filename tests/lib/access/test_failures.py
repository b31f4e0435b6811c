"""Failed authentications are slowed by address: when, for whom, for how long, and in how much memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.access import Failures
from lib.base.errors import RateLimited

HERE, THERE = "203.0.113.7", "198.51.100.1"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def failures(clock):
    return Failures(limit=10, seconds=60, clock=clock)


def fail(failures: Failures, address: str | None, times: int) -> int:
    """How many of these failures were slowed."""
    slowed = 0
    for _ in range(times):
        try:
            failures.failed(address)
        except RateLimited:
            slowed += 1
    return slowed


def test_the_first_ones_are_let_be(failures):
    assert fail(failures, HERE, 10) == 0


def test_one_too_many_is_asked_to_wait(failures):
    fail(failures, HERE, 10)
    with pytest.raises(RateLimited) as caught:
        failures.failed(HERE)
    assert (caught.value.status, caught.value.retry_after) == (429, pytest.approx(6.0))


def test_the_wait_grows_shorter_and_then_it_is_over(failures, clock):
    fail(failures, HERE, 10)
    clock.now += 4
    with pytest.raises(RateLimited) as caught:
        failures.failed(HERE)
    assert caught.value.retry_after == pytest.approx(2.0)
    clock.now += 2.001
    assert fail(failures, HERE, 2) == 1


def test_a_slowed_failure_does_not_prolong_the_wait(failures, clock):
    fail(failures, HERE, 1000)
    clock.now += 6.001
    failures.failed(HERE)


def test_it_fills_up_to_the_limit_and_no_further(failures, clock):
    fail(failures, HERE, 10)
    clock.now += 100_000
    assert fail(failures, HERE, 12) == 2


def test_addresses_are_counted_apart(failures):
    fail(failures, HERE, 11)
    assert fail(failures, THERE, 10) == 0


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        (HERE, f"::ffff:{HERE}", True),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        (None, "", True),
        (None, "junk", True),
        ("x" * 10_000, "y" * 10_000, True),
    ],
)
def test_whose_failures_are_counted_together(failures, one, other, together):
    fail(failures, one, 10)
    assert (fail(failures, other, 1) == 1) is together


def test_memory_is_bounded_and_the_longest_untouched_goes_first(clock):
    failures = Failures(limit=1, seconds=60, clock=clock, max_addresses=3)
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.4"):
        fail(failures, address, 1)
    assert len(failures) == 3
    assert fail(failures, "10.0.0.1", 1) == 1  # touched of late
    assert fail(failures, "10.0.0.2", 1) == 0  # forgotten


def test_a_clock_that_stands_still_or_goes_back_upsets_nothing(failures, clock):
    fail(failures, HERE, 11)
    clock.now -= 5
    assert fail(failures, HERE, 1) == 1
    clock.now += 60
    assert fail(failures, HERE, 1) == 0


@given(st.lists(st.floats(0, 30), max_size=60))
def test_never_more_than_the_limit_and_the_refill_in_any_time(waits):
    clock = Clock()
    failures = Failures(limit=5, seconds=60, clock=clock)
    begin, passed = clock.now, 0
    for wait in waits:
        clock.now += wait
        passed += fail(failures, HERE, 1) == 0
    assert passed <= 5 + (clock.now - begin) * 5 / 60 + 1e-6
