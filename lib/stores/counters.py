"""Counters for rate limits in a SQLite file of their own: all workers of a machine share one exact counter.

A storage of `limits`: its strategies run on it. `take` does for some limits in one transaction what the strategy
does for one in several. What is in the file need not last: it is made anew when it is missing or damaged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from limits.storage import SlidingWindowCounterSupport, Storage
from limits.storage.base import TimestampedSlidingWindow

from lib.base.errors import StoreUnavailable
from lib.stores.breaker import Breaker
from lib.stores.counters_file import CountersFile
from lib.stores.database import Session, Sql, T
from lib.stores.sqlite import SqliteDatabase
from lib.stores.windows import Answer, Hit, Window

SWEEP_SECONDS = 5.0
SWEEP_ROWS = 200  # at once; half a millisecond

_READ = Sql("SELECT hits, expires FROM counters WHERE key = :key AND expires > :now")
_ADD = Sql(
    "INSERT INTO counters (key, hits, expires) VALUES (:key, :amount, :expires) ON CONFLICT (key) DO UPDATE SET "
    "hits = CASE WHEN expires > :now THEN hits + :amount ELSE :amount END, "
    "expires = CASE WHEN expires > :now THEN expires ELSE :expires END RETURNING hits"
)
_CHANGE = Sql("UPDATE counters SET hits = max(0, hits + :change) WHERE key = :key AND expires > :now")
_DELETE = Sql("DELETE FROM counters WHERE key = :key")
_EMPTY = Sql("DELETE FROM counters")
_SWEEP = Sql("DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires <= :now LIMIT :rows)")


class SqliteCounters(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """Counters in the file at `path`. Windows begin at whole multiples of their length, in seconds of `clock`."""

    STORAGE_SCHEME = None  # it has no URL

    def __init__(
        self,
        path: Path,
        timeout: float,
        clock: Callable[[], float] = time.time,
        breaker: Breaker | None = None,
    ) -> None:
        super().__init__()
        self._file = CountersFile(path, SqliteDatabase(path, timeout, durable=False))
        self._clock = clock
        self._breaker = breaker or Breaker()
        self._next_sweep = 0.0

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def take(self, hits: Sequence[Hit]) -> Answer:
        """See `Counters`."""

        def work(session: Session) -> Answer:
            now = self._clock()  # in the transaction: workers take their turns in the order of time
            self._sweep(session, now)
            windows = _windows(session, [(hit.key, hit.seconds) for hit in hits], now)
            refused = tuple(place for place, hit in enumerate(hits) if not windows[place].fits(hit))
            if not refused:
                windows = [_counted(session, hit, window, now) for hit, window in zip(hits, windows, strict=True)]
            return Answer(refused, tuple(windows))

        return self._run(work)

    def correct(self, hit: Hit, mark: float, change: int) -> None:
        """See `Counters`."""
        key = f"{hit.key}/{int(mark)}"
        self._run(lambda session: session.change(_CHANGE, {"key": key, "change": change, "now": self._clock()}))

    # ---- what `limits` asks of a storage ----

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a failure of the store is."""
        return StoreUnavailable

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` if it fits into the limit."""
        return not self.take((Hit(key, limit, expiry, amount),)).refused

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The previous window's count and remaining seconds, and the current one's."""
        return self._run(lambda session: _windows(session, [(key, expiry)], self._clock()))[0][:4]

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget both windows."""
        for window in self.sliding_window_keys(key, expiry, self._clock()):
            self.clear(window)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; the new count. The first of a key decides when it expires."""
        return self._run(lambda session: _add(session, key, expiry, amount, self._clock()))

    def get(self, key: str) -> int:
        """A count."""
        rows = self._run(lambda session: session.rows(_READ, {"key": key, "now": self._clock()}))
        return int(rows[0][0]) if rows else 0

    def get_expiry(self, key: str) -> float:
        """When a count expires; now when there is none."""
        now = self._clock()
        rows = self._run(lambda session: session.rows(_READ, {"key": key, "now": now}))
        return float(rows[0][1]) if rows else now

    def check(self) -> bool:
        """Whether the file can be written to."""
        try:
            self.get("")
        except StoreUnavailable:
            return False
        return True

    def reset(self) -> int:
        """Forget everything; how many counts that were."""
        return self._run(lambda session: session.change(_EMPTY))

    def clear(self, key: str) -> None:
        """Forget a count."""
        self._run(lambda session: session.change(_DELETE, {"key": key}))

    # ---- inside ----

    def _run(self, work: Callable[[Session], T]) -> T:
        with self._breaker.asked():
            return self._file.run(work)

    def _sweep(self, session: Session, now: float) -> None:
        """Now and then, delete some of what has expired; more with the next hit when there is more."""
        if now < self._next_sweep <= now + SWEEP_SECONDS:  # further away: the clock was set back
            return
        deleted = session.change(_SWEEP, {"now": now, "rows": SWEEP_ROWS})
        if deleted < SWEEP_ROWS:
            self._next_sweep = now + SWEEP_SECONDS


def _windows(session: Session, asked: Sequence[tuple[str, int]], now: float) -> list[Window]:
    """How counters stand, each given by its key and its seconds."""
    params: dict[str, Any] = {"now": now}
    keys = [SqliteCounters.sliding_window_keys(key, seconds, now) for key, seconds in asked]
    for place, (previous, current) in enumerate(keys):
        params[f"previous{place}"] = previous
        params[f"current{place}"] = current
    count: Callable[[str, int], int] = {row[0]: row[1] for row in session.rows(_read(len(asked)), params)}.get
    return [
        _window(count(previous, 0), count(current, 0), seconds, now)
        for (previous, current), (_, seconds) in zip(keys, asked, strict=True)
    ]


@lru_cache(maxsize=32)
def _read(counters: int) -> Sql:
    """The statement that reads both windows of so many counters."""
    keys = ", ".join(f":previous{place}, :current{place}" for place in range(counters))
    return Sql(f"SELECT key, hits FROM counters WHERE key IN ({keys}) AND expires > :now")  # noqa: S608  numbers only


def _window(previous: int, current: int, seconds: int, now: float) -> Window:
    """The arithmetic is that of `limits`' own storages, to the last bit."""
    previous_ttl = (1 - (((now - seconds) / seconds) % 1)) * seconds if previous else 0.0
    current_ttl = (1 - ((now / seconds) % 1)) * seconds + seconds
    return Window(previous, previous_ttl, current, current_ttl, int(now / seconds))


def _counted(session: Session, hit: Hit, window: Window, now: float) -> Window:
    key = f"{hit.key}/{int(window.mark)}"
    if window.current:  # it was just read: the count alone changes, and not the index of what expires when
        session.change(_CHANGE, {"key": key, "change": hit.amount, "now": now})
        current = window.current + hit.amount
    else:
        current = _add(session, key, 2 * hit.seconds, hit.amount, now)
    return Window(window.previous, window.previous_ttl, current, window.current_ttl, window.mark)


def _add(session: Session, key: str, expiry: int, amount: int, now: float) -> int:
    rows = session.rows(_ADD, {"key": key, "amount": amount, "expires": now + expiry, "now": now})
    return int(rows[0][0])
