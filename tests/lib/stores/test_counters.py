"""One suite over every store: what counters promise, whoever keeps them."""

from __future__ import annotations

import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import SlidingWindowCounterRateLimiter

from lib.stores import Counters, Hit
from lib.stores.counters import SqliteCounters
from lib.stores.redis import RedisCounters
from tests.lib.stores.shared import NOON, RedisShared, Shared

REQUESTS = Hit("requests/ada", 10, 60, 1)
TOKENS = Hit("tokens/ada", 100, 60, 30)


def counts(shared: Shared, *hits: Hit) -> list[int]:
    """What counts now of each limit."""
    probe = tuple(hit._replace(limit=10**9, amount=0) for hit in hits)
    return [window.used(60) for window in shared.counters.take(probe).windows]


def test_hits_are_counted_together(shared: Shared):
    refused, windows = shared.counters.take((REQUESTS, TOKENS))
    assert refused == ()
    assert [window.used(60) for window in windows] == [1, 30]
    assert counts(shared, REQUESTS, TOKENS) == [1, 30]


def test_a_refused_hit_is_not_counted_and_neither_is_its_neighbour(shared: Shared):
    for _ in range(3):
        assert shared.counters.take((REQUESTS, TOKENS)).refused == ()
    refused, windows = shared.counters.take((REQUESTS, TOKENS))
    assert refused == (1,)
    assert [window.used(60) for window in windows] == [3, 90]
    assert counts(shared, REQUESTS, TOKENS) == [3, 90]


def test_all_that_refuse_are_named(shared: Shared):
    assert shared.counters.take((REQUESTS._replace(amount=11), TOKENS._replace(amount=101))).refused == (0, 1)


def test_the_last_one_fits(shared: Shared):
    assert [shared.counters.take((REQUESTS,)).refused for _ in range(11)] == [()] * 10 + [(0,)]


def test_workers_share_one_counter(shared: Shared):
    other = shared.another()
    for counters in (shared.counters, other, shared.counters):
        counters.take((TOKENS,))
    assert other.take((TOKENS,)).refused == (0,)
    other.close()


def test_a_count_fades_and_expires(shared: Shared):
    shared.counters.take((TOKENS._replace(amount=100),))
    shared.advance(61)
    assert counts(shared, TOKENS)[0] in range(94, 99)
    shared.advance(30)
    assert counts(shared, TOKENS)[0] in range(44, 50)
    shared.advance(30)
    assert counts(shared, TOKENS) == [0]


@pytest.mark.parametrize("already", [1, 4, 10])
@pytest.mark.parametrize("pause", [0, 25, 50, 63, 95])
def test_the_wait_is_the_truth(shared: Shared, already: int, pause: int):
    shared.counters.take((REQUESTS._replace(amount=already),))
    shared.advance(pause)
    shared.counters.take((REQUESTS._replace(amount=9),))
    hit = REQUESTS._replace(amount=7)
    wait = shared.counters.take((hit._replace(limit=10),)).windows[0].wait(hit)
    if not wait:
        return
    early = wait - 0.003 - shared.slack
    if early > 0:
        shared.advance(early)
        assert shared.counters.take((hit,)).refused == (0,)
        shared.advance(0.003 + shared.slack)
    else:
        shared.advance(wait)
    assert shared.counters.take((hit,)).refused == ()


def test_a_hit_above_the_limit_never_fits(shared: Shared):
    hit = REQUESTS._replace(amount=11)
    assert shared.counters.take((hit,)).windows[0].wait(hit) is None


# ---- corrections ----


@pytest.mark.parametrize(("change", "left"), [(-20, 10), (-30, 0), (-1000, 0), (50, 80), (500, 530)])
def test_a_correction_in_the_same_window(shared: Shared, change: int, left: int):
    window = shared.counters.take((TOKENS,)).windows[0]
    shared.advance(5)
    shared.counters.correct(TOKENS, window.mark, change)
    assert counts(shared, TOKENS) == [left]


def test_a_correction_after_the_window_has_passed_on(shared: Shared):
    window = shared.counters.take((TOKENS,)).windows[0]
    shared.advance(61)
    shared.counters.take((TOKENS._replace(amount=50),))
    shared.counters.correct(TOKENS, window.mark, -30)
    shared.advance(1)
    assert counts(shared, TOKENS) == [50], "the next window keeps its own"


def test_a_correction_comes_too_late(shared: Shared):
    window = shared.counters.take((TOKENS,)).windows[0]
    shared.advance(125)
    shared.counters.take((TOKENS._replace(amount=50),))
    shared.counters.correct(TOKENS, window.mark, -30)
    shared.counters.correct(TOKENS, window.mark, 1000)
    assert counts(shared, TOKENS) == [50]


def test_a_correction_of_what_is_gone_makes_nothing(shared: Shared):
    window = shared.counters.take((TOKENS,)).windows[0]
    shared.advance(300)
    shared.counters.correct(TOKENS, window.mark, 1000)
    assert counts(shared, TOKENS) == [0]


# ---- exactness ----


def test_many_threads_never_get_more_than_the_limit(shared: Shared):
    admitted = []

    def work() -> None:
        for _ in range(20):
            if not shared.counters.take((Hit("many", 100, 60, 1),)).refused:
                admitted.append(1)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == 100


def admitted_in_a_process(place: str, number: int) -> int:
    """One worker: how many of its hits were admitted."""
    counters: Counters
    if place.startswith("redis:"):
        counters = RedisCounters(place, 2.0)
    else:
        counters = SqliteCounters(Path(place), 5.0, clock=lambda: NOON + 20)
    return sum(not counters.take((Hit("many", 300, 60, 1),)).refused for _ in range(number))


def test_many_processes_never_get_more_than_the_limit(shared: Shared, tmp_path):
    place = shared.url if isinstance(shared, RedisShared) else tmp_path / "rates.db"
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        counted = list(pool.map(admitted_in_a_process, [str(place)] * 3, [200] * 3))
    assert sum(counted) == 300


# ---- as a storage of `limits` ----


def test_the_strategies_of_limits_run_on_the_same_counts(shared: Shared):
    strategy, item = SlidingWindowCounterRateLimiter(shared.counters), RateLimitItemPerMinute(10, namespace="requests")
    assert strategy.hit(item, "ada", cost=4)
    hit = Hit(item.key_for("ada"), item.amount, item.get_expiry(), 5)
    assert shared.counters.take((hit,)).refused == ()
    assert strategy.get_window_stats(item, "ada").remaining == 1
    assert not strategy.hit(item, "ada", cost=2)
    assert strategy.test(item, "ada", cost=1)
    strategy.clear(item, "ada")
    assert strategy.get_window_stats(item, "ada").remaining == 10


def test_plain_counts(shared: Shared):
    counters = shared.counters
    assert [counters.incr("plain", 10, 2), counters.incr("plain", 10), counters.get("plain")] == [2, 3, 3]
    shared.advance(11)
    assert counters.get("plain") == 0
    counters.incr("plain", 10)
    counters.clear("plain")
    assert counters.get("plain") == 0
    counters.incr("plain", 10)
    assert counters.reset() == 1
    assert counters.check()
