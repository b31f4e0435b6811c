"""The counters' file: made when it is missing, made anew when it is damaged or was taken away."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from lib.base.errors import StoreUnavailable
from lib.stores.database import Session, Sql, T, unavailable
from lib.stores.sqlite import SqliteDatabase

LOOK_SECONDS = 1.0  # how often to see whether the file is still the one that is open
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TABLE = Sql(
    "CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, hits INTEGER NOT NULL, expires REAL NOT NULL) "
    "WITHOUT ROWID"
)
_INDEX = Sql("CREATE INDEX IF NOT EXISTS counters_expires ON counters (expires)")

log = logging.getLogger("aiproxy.stores")


class CountersFile:
    """Transactions on a file that may vanish. `database` is the one that opens `path`."""

    def __init__(self, path: Path, database: SqliteDatabase) -> None:
        self._path = path
        self._database = database
        self._inode: int | None = None
        self._next_look = 0.0

    def run(self, work: Callable[[Session], T]) -> T:
        """Carry out `work` in one transaction, on a file with its table. Raises `StoreUnavailable`."""
        self._look()
        try:
            return self._database.run(work)
        except StoreUnavailable as error:
            self._mend(error)
        return self._database.run(work)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _look(self) -> None:
        """Open the file again when another one stands in its place: a worker made it anew."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        inode = self._inode_now()
        if self._inode != inode:
            self._database.close()
        self._inode = inode

    def _inode_now(self) -> int | None:
        with suppress(OSError):
            return self._path.stat().st_ino
        return None

    def _mend(self, error: StoreUnavailable) -> None:
        """Make the table, or the file, if that was what the transaction missed; else raise the error again."""
        code = getattr(error.__cause__, "sqlite_errorcode", -1) & 0xFF
        if code in _DAMAGED:
            self._replace()
        elif code != sqlite3.SQLITE_ERROR:  # which is also "no such table"
            raise error
        self._database.run(_make_table)
        self._inode = self._inode_now()

    def _replace(self) -> None:
        """Take a damaged file away, unless another worker has done so in the meantime."""
        try:
            with self._only_one():
                if self._damaged():
                    log.warning("the counters' file is damaged and made anew: %s", self._path)
                    for suffix in ("", "-wal", "-shm"):
                        Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise unavailable(error) from error

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        """One process at a time: a lock on the folder, which ends with the process whatever happens."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _damaged(self) -> bool:
        try:
            with closing(sqlite3.connect(self._path, timeout=0.0)) as connection:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            return error.sqlite_errorcode & 0xFF in _DAMAGED
        return bool(found != ("ok",))


def _make_table(session: Session) -> None:
    session.change(_TABLE)
    session.change(_INDEX)
