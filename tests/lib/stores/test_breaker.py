"""Who is turned away from a store that failed."""

from contextlib import suppress

import gevent
import pytest

from lib.base.errors import BudgetExceeded, StoreNotAsked, StoreUnavailable
from lib.stores import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(pause=3.0, clock=clock)


def fail(breaker: Breaker) -> None:
    with pytest.raises(StoreUnavailable, match="books"), breaker.asked():
        raise StoreUnavailable(detail="broken")


def turned_away(breaker: Breaker) -> bool:
    try:
        with breaker.asked():
            return False
    except StoreUnavailable as error:
        return "not asked" in str(error.detail)


def test_a_store_that_works_is_asked(breaker):
    assert not turned_away(breaker)
    assert not breaker.open


def test_a_failure_turns_everybody_away_for_a_while(breaker, clock):
    fail(breaker)
    clock.now = 2.9
    assert turned_away(breaker)
    assert breaker.open
    with pytest.raises(StoreUnavailable):
        breaker.check()
    clock.now = 3.0
    assert not turned_away(breaker)
    assert not turned_away(breaker), "it works again"


def test_no_turn_in_a_crowd_is_no_failure(breaker, clock):
    with pytest.raises(StoreNotAsked), breaker.asked():
        raise StoreNotAsked(detail="all connections are in use")
    assert not turned_away(breaker)
    fail(breaker)
    clock.now = 3.0
    with pytest.raises(StoreNotAsked), breaker.asked():
        raise StoreNotAsked(detail="all connections are in use")
    assert not turned_away(breaker), "the next one may probe"


def test_one_probe_at_a_time(breaker, clock):
    fail(breaker)
    clock.now = 3.0
    with breaker.asked():
        assert turned_away(breaker)
    assert not turned_away(breaker)


def test_a_probe_that_fails_begins_the_next_pause(breaker, clock):
    fail(breaker)
    clock.now = 3.0
    fail(breaker)
    clock.now = 5.9
    assert turned_away(breaker)


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, ZeroDivisionError, GeneratorExit])
def test_a_probe_that_is_broken_off_lets_the_next_call_probe(breaker, clock, leaving):
    fail(breaker)
    clock.now = 3.0
    with pytest.raises(leaving), breaker.asked():
        raise leaving
    with breaker.asked():
        assert turned_away(breaker), "this one is the probe"


def test_an_answer_that_is_no_is_an_answer(breaker, clock):
    fail(breaker)
    clock.now = 3.0
    with pytest.raises(BudgetExceeded), breaker.asked():
        raise BudgetExceeded
    assert not breaker.open


def test_a_late_failure_of_an_earlier_call_counts(breaker):
    with pytest.raises(StoreUnavailable), breaker.asked():
        with breaker.asked():
            pass
        raise StoreUnavailable
    assert breaker.open


def test_of_many_greenlets_one_probes(clock):
    breaker = Breaker(pause=0.0, clock=clock)
    fail(breaker)
    inside, most, probes = 0, 0, 0

    def work() -> None:
        nonlocal inside, most, probes
        for _ in range(20):
            with suppress(StoreUnavailable), breaker.asked():
                inside, probes = inside + 1, probes + 1
                most = max(most, inside)
                gevent.sleep(0)
                inside -= 1
                raise StoreUnavailable
            gevent.sleep(0)

    gevent.joinall([gevent.spawn(work) for _ in range(10)])
    assert most == 1
    assert probes > 1
