"""How an issuer's keys are kept: when they are fetched, who waits, and what holds when fetching fails."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest
from gevent.event import Event

from lib.access.issuer_keys import IssuerKeys
from lib.access.jwks import KeysNotFetched
from lib.access.key_set import Key
from lib.base.errors import IssuerUnavailable


class World:
    """A clock, and an issuer whose keys can change, fail, or keep one waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.published = ["a"]
        self.fails: Exception | None = None
        self.fetches = 0
        self.gate = Event()
        self.gate.set()
        self.keys = IssuerKeys("acme", self.fetch, 300.0, lambda: self.now)

    def fetch(self) -> tuple[Key, ...]:
        self.fetches += 1
        self.gate.wait()
        if self.fails:
            raise self.fails
        return tuple(Key(kid, "RS256", None) for kid in self.published)

    def knows(self, kid: str | None) -> bool:
        return self.keys.find(kid, "RS256") is not None

    def settle(self) -> None:
        """Let what was begun go on."""
        for _round in range(3):
            gevent.sleep(0)


@pytest.fixture
def world():
    return World()


def unavailable(call: Callable[[], object]) -> IssuerUnavailable:
    with pytest.raises(IssuerUnavailable) as caught:
        call()
    return caught.value


# ---- fresh and stale ----


def test_nothing_is_fetched_before_it_is_needed(world):
    assert world.fetches == 0


def test_keys_are_fetched_once_and_kept(world):
    assert [world.knows("a") for _ in range(5)] == [True] * 5
    world.now += 299
    assert world.knows("a")
    world.settle()
    assert world.fetches == 1


def test_stale_keys_are_used_while_others_are_fetched(world):
    world.knows("a")
    world.now += 301
    world.published = ["b"]
    world.gate.clear()
    assert world.knows("a")
    assert world.knows("a")  # and nobody waits, or asks again
    world.settle()
    assert world.fetches == 2
    world.gate.set()
    world.settle()
    assert world.knows("b")
    assert not world.knows("a")


def test_stale_keys_are_used_for_a_day_when_fetching_fails(world):
    world.knows("a")
    world.fails = KeysNotFetched("status 500")
    for _hour in range(23):
        world.now += 3600
        assert world.knows("a")
        world.settle()
    assert world.fetches == 24
    world.now += 3600
    assert unavailable(lambda: world.knows("a")).status == 503


def test_a_failing_issuer_is_asked_every_ten_seconds(world):
    world.knows("a")
    world.now += 301
    world.fails = KeysNotFetched("status 500")
    for _second in range(30):
        assert world.knows("a")
        world.settle()
        world.now += 1
    assert world.fetches == 1 + 3


def test_an_issuer_that_comes_back_is_believed_again(world):
    world.fails = KeysNotFetched("status 500")
    unavailable(lambda: world.knows("a"))
    world.fails = None
    world.now += 10
    assert world.knows("a")


# ---- no keys at all ----


def test_without_keys_it_is_not_the_callers_fault(world):
    world.fails = KeysNotFetched("no answer in time")
    error = unavailable(lambda: world.knows("a"))
    assert (error.status, error.code, error.retryable) == (503, "identity_provider_unavailable", True)
    assert error.retry_after == pytest.approx(10)
    assert "acme" not in error.message


def test_without_keys_nobody_waits_for_a_second_try_at_once(world):
    world.fails = KeysNotFetched("no answer in time")
    for _ in range(20):
        unavailable(lambda: world.knows("a"))
    assert world.fetches == 1
    world.now += 10
    unavailable(lambda: world.knows("a"))
    assert world.fetches == 2


def test_an_issuer_without_one_usable_key_cannot_vouch(world):
    world.published = []
    unavailable(lambda: world.knows("a"))
    unavailable(lambda: world.knows(None))
    assert world.fetches == 1


def test_withdrawn_keys_are_not_believed(world):
    world.knows("a")
    world.published = []
    world.now += 301
    world.knows("a")
    world.settle()
    unavailable(lambda: world.knows("a"))


def test_a_fault_of_our_own_leaves_nobody_waiting(world, capfd):
    world.fails = RuntimeError("a fault of this test")
    unavailable(lambda: world.knows("a"))
    assert "a fault of this test" in capfd.readouterr().err


# ---- unknown key ids ----


def test_a_new_key_is_found_at_once(world):
    world.knows("a")
    world.published = ["a", "b"]
    assert world.knows("b")
    assert world.fetches == 2


def test_unknown_keys_are_asked_for_once_a_minute(world):
    world.knows("a")
    for second in range(120):
        assert not world.knows(f"x{second}")
        world.now += 1
    assert world.fetches == 1 + 2


def test_a_key_that_came_within_the_minute_is_found_after_it(world):
    world.knows("a")
    world.knows("x")
    world.published = ["b"]
    assert not world.knows("b")
    world.now += 60
    assert world.knows("b")


def test_keys_that_this_call_has_fetched_are_not_fetched_again(world):
    assert not world.knows("x")
    assert world.fetches == 1


def test_no_key_id_asks_for_no_fetch(world):
    world.published = ["a", "b"]
    assert not world.knows(None)
    assert not world.knows(None)
    assert world.fetches == 1


def test_an_unknown_key_of_an_issuer_that_fails_is_not_the_callers_fault(world):
    world.knows("a")
    world.fails = KeysNotFetched("status 500")
    error = unavailable(lambda: world.knows("b"))
    assert error.retry_after == pytest.approx(60)
    unavailable(lambda: world.knows("c"))
    assert world.knows("a")
    assert world.fetches == 2


# ---- together ----


def test_all_wait_for_the_one_first_fetch(world):
    world.gate.clear()
    calls = [gevent.spawn(world.knows, "a") for _ in range(50)]
    world.settle()
    assert not any(call.ready() for call in calls)
    world.gate.set()
    gevent.joinall(calls, timeout=30)
    assert [call.value for call in calls] == [True] * 50
    assert world.fetches == 1


def test_all_wait_for_the_one_fetch_of_a_new_key(world):
    world.knows("a")
    world.published = ["b"]
    world.gate.clear()
    calls = [gevent.spawn(world.knows, "b") for _ in range(50)]
    world.settle()
    assert world.knows("a")  # who needs no fetch waits for none
    world.gate.set()
    gevent.joinall(calls, timeout=30)
    assert [call.value for call in calls] == [True] * 50
    assert world.fetches == 2


def test_a_new_key_waits_for_a_fetch_that_already_runs(world):
    world.knows("a")
    world.now += 301
    world.published = ["b"]
    world.gate.clear()
    world.knows("a")
    call = gevent.spawn(world.knows, "b")
    world.settle()
    world.gate.set()
    assert call.get(timeout=30)
    assert world.fetches == 2
    world.published = ["c"]
    assert world.knows("c")  # joining was no fetch of its own: the minute has not begun
    assert world.fetches == 3


def test_whoever_waits_is_told_when_the_fetch_fails(world):
    world.gate.clear()
    world.fails = KeysNotFetched("status 500")
    calls = [gevent.spawn(unavailable, lambda: world.knows("a")) for _ in range(5)]
    world.settle()
    world.gate.set()
    gevent.joinall(calls, timeout=30)
    assert all(isinstance(call.value, IssuerUnavailable) for call in calls)
    assert world.fetches == 1
