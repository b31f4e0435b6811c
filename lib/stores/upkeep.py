"""Before a database is used: SQLite goes to the newest tables by itself, another one must have them already."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from lib.base.errors import StoreUnavailable
from lib.stores.database import Database
from lib.stores.migrate import HEAD, fault, migrate, version
from lib.stores.opening import open_database

_READY, _WRONG, _DOWN = "ready", "wrong", "down"
FRESH = 2.0  # seconds that an answer of `Watch` holds


def prepare(url: str, timeout: float) -> str | None:
    """Make a database ready for this program, and let go of it again.

    What is wrong with its tables, and which command helps; None when nothing is.
    Raises ValueError for a URL of no database, `StoreUnavailable` when it is down or slow.
    """
    database = open_database(url, timeout)
    try:
        if database.kind == "sqlite" and (version(database) or "") < HEAD:
            database.close()
            migrate(url)
        return fault(database)
    finally:
        database.close()


def prepare_apart(url: str, timeout: float) -> str | None:
    """`prepare` in a process of its own: this one opens nothing that its children would inherit, and loads nothing."""
    open_database(url, timeout)  # for its ValueError
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _prepare_and_end(url, timeout, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        kind, _, text = pipe.read().partition("\n")
    os.waitpid(child, 0)
    if kind in (_READY, _WRONG):
        return text or None
    raise StoreUnavailable(detail=text or "the database could not be looked at")


def _prepare_and_end(url: str, timeout: float, writing: int) -> None:
    said = _DOWN
    try:
        wrong = prepare(url, timeout)
        said = f"{_WRONG}\n{wrong}" if wrong else _READY
    except StoreUnavailable as error:
        said = f"{_DOWN}\n{error.detail or ''}"
    except ValueError as error:  # a version that only a newer program knows
        said = f"{_WRONG}\n{error}"
    finally:  # whatever it was, a child must not go on as its parent
        os.write(writing, said.encode())
        os._exit(0)


class Watch:
    """Whether a database can be used at the moment. Asks it every other second at most."""

    def __init__(
        self, database: Database, changed: Callable[[str | None], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`changed` hears what is wrong, or None, whenever that is something else than before."""
        self._database = database
        self._changed = changed
        self._clock = clock
        self._until = float("-inf")
        self._wrong: str | None = None

    def fault(self) -> str | None:
        """What is wrong; None when nothing is. While one call asks, the others have the last answer."""
        now = self._clock()
        if now < self._until:
            return self._wrong
        self._until = now + FRESH
        wrong = self._ask()
        if wrong != self._wrong:
            self._wrong = wrong
            self._changed(wrong)
        return wrong

    def _ask(self) -> str | None:
        try:
            return fault(self._database)
        except StoreUnavailable as error:
            return error.detail or error.message
