"""Who rests, and for how long, on a clock of the test's own."""

from __future__ import annotations

import pytest

from lib.base import Rest
from lib.gateway import Circuit
from lib.gateway.circuit import MAX_KNOWN

REST = Rest(failures=3, seconds=5.0, longest=60.0)
KEY = "acme/m"


class Clock:
    """Stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit(REST, clock)


def fail(circuit: Circuit, times: int = REST.failures) -> list[float]:
    return [circuit.failed(KEY) for _ in range(times)]


def test_a_place_that_keeps_failing_rests(circuit: Circuit) -> None:
    assert fail(circuit) == [0.0, 0.0, 5.0]
    assert (circuit.wait(KEY), circuit.rests(KEY)) == (5.0, True)
    assert circuit.wait("acme/other") == 0.0


def test_a_few_failures_are_no_reason(circuit: Circuit) -> None:
    fail(circuit, 2)
    assert (circuit.wait(KEY), circuit.rests(KEY)) == (0.0, False)


def test_only_failures_in_a_row_count(circuit: Circuit) -> None:
    for _ in range(5):
        fail(circuit, 2)
        circuit.succeeded(KEY)
    assert circuit.wait(KEY) == 0.0


def test_after_a_rest_one_call_may_try(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += 4.9
    assert circuit.wait(KEY) == pytest.approx(0.1)
    clock.now += 0.2
    assert [circuit.wait(KEY) for _ in range(3)] == [0.0, 5.0, 5.0]


def test_a_trial_that_succeeds_ends_the_matter(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += 6.0
    circuit.wait(KEY)
    circuit.succeeded(KEY)
    assert [circuit.wait(KEY) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert fail(circuit) == [0.0, 0.0, 5.0]


def test_a_trial_that_fails_begins_a_rest_twice_as_long(circuit: Circuit, clock: Clock) -> None:
    rests = [fail(circuit)[-1]]
    for _ in range(5):
        clock.now += 100.0
        assert circuit.wait(KEY) == 0.0
        rests += fail(circuit, 1)
        assert circuit.wait(KEY) == rests[-1]
    assert rests == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_a_trial_without_a_verdict_lets_the_next_one_try(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += 6.0
    assert circuit.wait(KEY) == 0.0
    circuit.let_go(KEY)
    assert [circuit.wait(KEY), circuit.wait(KEY)] == [0.0, 5.0]
    circuit.let_go("acme/never-seen")


def test_a_trial_that_takes_long_lets_another_one_through(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += 6.0
    assert circuit.wait(KEY) == 0.0
    clock.now += 5.0
    assert [circuit.wait(KEY), circuit.wait(KEY)] == [0.0, 5.0]


def test_calls_that_were_under_way_do_not_prolong_a_rest(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += 1.0
    assert fail(circuit, 100) == [0.0] * 100
    assert circuit.wait(KEY) == 4.0
    clock.now += 5.0
    circuit.wait(KEY)
    assert fail(circuit, 1) == [10.0]


def test_years_of_failure_are_counted(circuit: Circuit, clock: Clock) -> None:
    for _ in range(3000):
        circuit.failed(KEY)
        clock.now += 100.0
    assert circuit.failed(KEY) == REST.longest


def test_a_vendor_may_name_a_time(circuit: Circuit, clock: Clock) -> None:
    circuit.paused(KEY, 2.0)
    assert (circuit.wait(KEY), circuit.rests(KEY)) == (2.0, False)
    clock.now += 2.0
    assert [circuit.wait(KEY) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_the_later_of_two_times_counts_and_none_is_too_long(circuit: Circuit) -> None:
    circuit.paused(KEY, 20.0)
    circuit.paused(KEY, 2.0)
    assert circuit.wait(KEY) == 20.0
    circuit.paused(KEY, 86400.0)
    assert circuit.wait(KEY) == REST.longest


def test_failures_count_while_a_vendor_asked_for_patience(circuit: Circuit) -> None:
    circuit.paused(KEY, 1.0)
    assert fail(circuit) == [0.0, 0.0, 5.0]


def test_an_answer_ends_a_pause_too(circuit: Circuit) -> None:
    circuit.paused(KEY, 20.0)
    circuit.succeeded(KEY)
    assert circuit.wait(KEY) == 0.0


def test_the_number_of_names_is_bounded(circuit: Circuit) -> None:
    fail(circuit)
    for number in range(MAX_KNOWN):
        circuit.failed(f"acme/{number}")
    assert circuit.wait(KEY) == 0.0
    assert len(circuit._states) == MAX_KNOWN
