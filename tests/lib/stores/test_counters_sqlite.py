"""The counters' file: equal to `limits`' own memory storage, swept, and made anew when it is damaged."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, memory
from limits.strategies import SlidingWindowCounterRateLimiter

from lib.base.errors import StoreUnavailable
from lib.stores import Breaker, Hit
from lib.stores.counters import SWEEP_ROWS, SqliteCounters
from tests.lib.stores.shared import NOON

HIT = Hit("requests/ada", 10, 60, 1)
KEYS = ("ada", "grace")
STEPS = st.lists(
    st.tuples(st.floats(0, 100), st.sampled_from(KEYS), st.integers(0, 6), st.sampled_from(["hit", "test", "clear"])),
    max_size=30,
)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@contextmanager
def both(clock: Clock) -> Iterator[list[SlidingWindowCounterRateLimiter]]:
    """The strategy of `limits` over its own memory and over our file, with the same clock."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(memory, "time", SimpleNamespace(time=clock)),
        closing(SqliteCounters(Path(folder) / "rates.db", 2.0, clock=clock)) as ours,
    ):
        yield [SlidingWindowCounterRateLimiter(MemoryStorage()), SlidingWindowCounterRateLimiter(ours)]


@settings(max_examples=60, deadline=None)
@given(limit=st.integers(1, 12), steps=STEPS)
def test_equal_to_limits_in_memory(limit, steps):
    clock, item = Clock(), RateLimitItemPerMinute(limit)
    with both(clock) as strategies:
        for pause, key, cost, what in steps:
            clock.now += pause
            said = []
            for strategy in strategies:
                answer = {
                    "hit": lambda at: at.hit(item, key, cost=cost),  # noqa: B023  called at once
                    "test": lambda at: at.test(item, key, cost=cost),  # noqa: B023
                    "clear": lambda at: at.clear(item, key),  # noqa: B023
                }[what](strategy)
                window = strategy.storage.get_sliding_window(item.key_for(key), 60)
                said.append((answer, window, strategy.get_window_stats(item, key).remaining))
            assert said[0] == said[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "rates.db"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counters(path: Path, clock: Clock) -> Iterator[SqliteCounters]:
    made = SqliteCounters(path, 0.2, clock=clock, breaker=Breaker(pause=0.0))
    yield made
    made.close()


def used(counters: SqliteCounters) -> int:
    return counters.take((HIT._replace(limit=10**6, amount=0),)).windows[0].used(60)


def stored(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM counters").fetchone()[0])


def test_old_counts_are_deleted_in_small_batches(counters, clock, path):
    for number in range(SWEEP_ROWS + 50):
        counters.take((HIT._replace(key=f"k{number}"),))
    clock.now += 121
    counters.take((HIT,))
    assert stored(path) == 51
    counters.take((HIT,))
    assert stored(path) == 1


def test_a_clock_that_steps_back_does_no_harm(counters, clock):
    counters.take((HIT._replace(amount=10),))
    clock.now += 90
    counters.take((HIT._replace(amount=1),))
    clock.now -= 90
    assert counters.take((HIT,)).refused == (0,)


def test_sweeping_goes_on_after_the_clock_was_set_back(counters, clock, path):
    clock.now += 1e6
    counters.take((HIT,))
    clock.now -= 2e6
    counters.take((HIT,))
    clock.now += 200
    counters.take((HIT._replace(key="other"),))
    assert stored(path) == 2


def damage(path: Path) -> None:
    """Overwrite the pages of a file that is in use, and what is not in them yet."""
    with path.open("r+b") as file:
        file.write(b"\xff" * max(8192, path.stat().st_size))
    Path(f"{path}-wal").write_bytes(b"")


@pytest.mark.parametrize("content", [b"no database at all, but text that is long enough" * 30, b"\xff" * 8192])
def test_a_file_that_is_no_database_is_made_anew(counters, path, content, caplog):
    path.parent.mkdir()
    path.write_bytes(content)
    assert counters.take((HIT,)).refused == ()
    assert used(counters) == 1
    assert "made anew" in caplog.text


def test_a_file_that_is_damaged_in_use_is_made_anew(counters, path):
    counters.take((HIT,))
    counters.close()
    damage(path)
    assert counters.take((HIT,)).refused == ()
    assert used(counters) == 1


def test_a_table_of_another_make_is_left_and_refused(counters, path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE counters (something INTEGER)")
    with pytest.raises(StoreUnavailable):
        counters.take((HIT,))


def test_workers_find_together_again_when_the_file_was_deleted(counters, path, clock, monkeypatch):
    monkeypatch.setattr("lib.stores.counters_file.LOOK_SECONDS", 0.0)
    counters.take((HIT,))
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    started_later = SqliteCounters(path, 0.2, clock=clock)
    for _ in range(5):
        started_later.take((HIT,))
        counters.take((HIT,))
    assert used(counters) == used(started_later) == 10
    started_later.close()


def test_what_another_worker_made_anew_is_left(counters, path):
    """Both met the damage, the other one was faster."""
    counters.take((HIT,))
    counters._file._replace()
    assert used(counters) == 1
    assert stored(path) == 1


def test_a_file_that_others_hold_costs_the_timeout_and_then_nothing(path, clock):
    counters = SqliteCounters(path, 0.2, clock=clock)
    counters.take((HIT,))
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable) as first:
            counters.take((HIT,))
        with pytest.raises(StoreUnavailable) as second:
            counters.take((HIT,))
    assert "locked" in str(first.value.detail)
    assert "not asked" in str(second.value.detail)
    counters.close()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    counters = SqliteCounters(tmp_path / "file" / "rates.db", 0.2)
    with pytest.raises(StoreUnavailable):
        counters.take((HIT,))
    assert not counters.check()


def test_expiry_of_a_plain_count(counters, clock):
    counters.incr("plain", 30)
    assert counters.get_expiry("plain") == clock.now + 30
    assert counters.get_expiry("absent") == clock.now
    assert counters.base_exceptions is StoreUnavailable
