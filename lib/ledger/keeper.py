"""What keeps a worker's books in order while it serves."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from lib.base.errors import StoreUnavailable
from lib.ledger.books import Books
from lib.telemetry import get_logger

log = get_logger("aiproxy.ledger")

TIDY_SECONDS = 60.0  # between two looks for what is too old
PAUSE = 0.05  # seconds between two batches of it


class Keeper:
    """Says now and then that the worker lives, writes what waits, closes what dead workers left, deletes what is old.

    `found` is told whether the database answers. `sleep` waits without holding up calls.
    """

    def __init__(self, books: Books, found: Callable[[bool], None], sleep: Callable[[float], None]) -> None:
        self._books = books
        self._found = found
        self._sleep = sleep
        self._was_there = True
        self._tidied = monotonic()

    def run(self) -> None:
        """Go on for as long as the worker does."""
        while True:
            try:
                self.turn()
            except Exception:
                log.critical("the books could not be kept", exc_info=True)
            self._sleep(self._books.heartbeat)

    def turn(self) -> None:
        """One round."""
        try:
            self._books.keep()
            self._seen(there=True)
            if monotonic() - self._tidied >= TIDY_SECONDS:
                self._tidied = monotonic()
                while self._books.tidy():
                    self._sleep(PAUSE)
        except StoreUnavailable as error:
            self._seen(there=False, detail=error.detail)

    def _seen(self, *, there: bool, detail: str | None = None) -> None:
        self._found(there)
        if there != self._was_there:
            self._was_there = there
            if there:
                log.info("the database is back")
            else:
                log.error("the database is away", detail=detail)
