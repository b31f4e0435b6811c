"""What a worker remembers: for how long, while the store is down, and how much."""

from __future__ import annotations

import pytest

from lib.access import key_cache
from lib.access.key_cache import FRESH, GRACE, KeyCache
from lib.base.errors import StoreUnavailable


class Store:
    """A store that holds texts, counts how often it is asked, and can be down."""

    def __init__(self, **held: str) -> None:
        self.held = held
        self.asked = 0
        self.down = False
        self.meanwhile = lambda: None

    def look(self, digest: str) -> str | None:
        self.asked += 1
        self.meanwhile()
        if self.down:
            raise StoreUnavailable(detail="down")
        return self.held.get(digest)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store():
    return Store(a="A")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(store, clock):
    return KeyCache(store.look, clock)


@pytest.mark.parametrize(("digest", "found"), [("a", "A"), ("b", None)])
def test_an_answer_is_taken_for_the_truth_for_a_moment(cache, store, clock, digest, found):
    for _ in range(3):
        assert cache.get(digest) == found
    assert store.asked == 1
    clock.now += FRESH
    assert cache.get(digest) == found
    assert store.asked == 2


def test_what_is_gone_is_gone_after_that_moment(cache, store, clock):
    cache.get("a")
    del store.held["a"]
    clock.now += FRESH - 0.01
    assert cache.get("a") == "A"
    clock.now += 0.01
    assert cache.get("a") is None
    assert cache.get("a") is None


def test_what_is_new_is_found_after_that_moment(cache, store, clock):
    cache.get("b")
    store.held["b"] = "B"
    clock.now += FRESH
    assert cache.get("b") == "B"


def test_while_one_call_asks_the_others_go_on(cache, store, clock):
    cache.get("a")
    clock.now += FRESH
    others = []
    store.meanwhile = lambda: others.append(cache.get("a")) if len(others) < 3 else None
    assert cache.get("a") == "A"
    assert others == ["A"]
    assert store.asked == 2


def test_a_slow_answer_holds_up_a_revoke_no_longer_than_two_moments(cache, store, clock):
    """The others go on with what they have while one asks, but only for as long as an answer is good."""
    cache.get("a")
    clock.now += FRESH
    seen = []

    def slow():
        store.meanwhile = lambda: None
        del store.held["a"]
        clock.now += FRESH
        seen.append(cache.get("a"))

    store.meanwhile = slow
    cache.get("a")
    assert seen == [None]


def test_a_known_key_goes_on_while_the_store_is_down(cache, store, clock):
    cache.get("a")
    store.down = True
    clock.now += GRACE - 0.01
    assert cache.get("a") == "A"
    clock.now += 0.01
    with pytest.raises(StoreUnavailable):
        cache.get("a")
    store.down = False
    assert cache.get("a") == "A"


@pytest.mark.parametrize("digest", ["b", "c"])
def test_an_unknown_key_cannot_be_told_while_the_store_is_down(cache, store, clock, digest):
    cache.get("b")
    store.down = True
    clock.now += FRESH
    with pytest.raises(StoreUnavailable):
        cache.get(digest)


def test_guesses_do_not_push_out_keys(cache, store, clock, monkeypatch):
    monkeypatch.setattr(key_cache, "MOST", 5)
    cache.get("a")
    for number in range(50):
        cache.get(f"guess {number}")
    asked = store.asked
    cache.get("a")
    assert store.asked == asked
    assert len(cache._absent) == 5
    store.held.update({f"key {number}": "K" for number in range(50)})
    for number in range(50):
        cache.get(f"key {number}")
    assert len(cache._found) == 5
