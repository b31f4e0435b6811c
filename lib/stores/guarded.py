"""A database that is left alone for a moment after it failed, so that one call waits for it and not every call."""

from __future__ import annotations

from collections.abc import Callable

from lib.stores.breaker import Breaker
from lib.stores.database import Database, Session, T


class Guarded:
    """Stands before another database. `StoreUnavailable` comes at once while that is left alone."""

    def __init__(self, database: Database, breaker: Breaker | None = None) -> None:
        self._database = database
        self._breaker = breaker or Breaker()

    @property
    def kind(self) -> str:
        """See `Database`."""
        return self._database.kind

    def run(self, work: Callable[[Session], T]) -> T:
        """See `Database`."""
        with self._breaker.asked():
            return self._database.run(work)

    def report(self, work: Callable[[Session], T]) -> T:
        """See `Database`. A report that takes too long says nothing of the calls that do not."""
        self._breaker.check()
        return self._database.report(work)

    def close(self) -> None:
        """See `Database`."""
        self._database.close()
