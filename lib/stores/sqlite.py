"""SQLite: one file, shared by all workers of a machine (write-ahead log, https://sqlite.org/wal.html)."""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
from gevent.monkey import is_module_patched

from lib.base.errors import StoreNotAsked, StoreUnavailable
from lib.stores.database import REPORT_SECONDS, REPORTS, Params, Row, Session, Sql, T, fault_of, unavailable
from lib.stores.turns import Gathering, Turn, Turns

FIRST_PAUSE = 0.0005  # seconds between looks at a file that another worker writes to
LONGEST_PAUSE = 0.01
LOOK_AFTER = 1_000_000  # instructions of SQLite's machine between two looks at the clock of a report
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_KIND = 0xFF  # of an error; the other bits say more, such as that a log is being recovered
_FAULTS = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError)
_NOTHING: Mapping[str, Any] = {}


class SqliteDatabase:
    """One file. A worker has one connection for writing; between its BEGIN and COMMIT no other code of it runs.

    A commit survives the end of the process at any moment. `durable` says whether it is meant to survive a
    power cut as well as a file can without a flush for each commit: the last moments may be lost, the file not.
    """

    kind = "sqlite"

    def __init__(self, path: Path, timeout: float, *, durable: bool = True) -> None:
        self._path = path
        self._timeout = timeout
        self._synchronous = "NORMAL" if durable else "OFF"
        self._lock = threading.Lock()
        self._reports = threading.BoundedSemaphore(REPORTS)
        self._connection: sqlite3.Connection | None = None
        self._closing: weakref.finalize[[], SqliteDatabase] | None = None
        self._gathering = Gathering()
        self._inside: object = None  # the greenlet that carries out calls

    def run(self, work: Callable[[Session], T]) -> T:
        """See `Database`. In a server, what several calls ask for at a time is one transaction."""
        if self._inside is gevent.getcurrent():
            raise RuntimeError("work that asks for more work would wait for itself")
        turn = Turn(work)
        if is_module_patched("threading"):
            return self._gathering.ask(turn, self._carry_out)
        self._carry_out([turn])
        return turn.outcome()

    def report(self, work: Callable[[Session], T]) -> T:
        """See `Database`. Reads on a connection and, in a server, in a thread of its own."""
        if not self._reports.acquire(timeout=REPORT_SECONDS):
            raise unavailable("other reports take too long")
        try:
            if is_module_patched("socket"):
                result: T = gevent.get_hub().threadpool.apply(self._read, (work,))
                return result
            return self._read(work)
        finally:
            self._reports.release()

    def close(self) -> None:
        """See `Database`."""
        with self._lock:
            self._forget()

    def _carry_out(self, turns: Turns) -> None:
        """Give each turn its outcome. They may become more until a transaction begins, and none while it lasts."""
        # the first way costs next to nothing, and it is free nearly always
        if not self._lock.acquire(blocking=False) and not self._lock.acquire(timeout=self._timeout):
            for turn in turns:
                turn.error = StoreNotAsked(detail="the file is written to by other calls")
            return
        self._inside = gevent.getcurrent()
        try:
            if not self._together(turns):
                self._apart(turns)
        except BaseException as error:  # noqa: BLE001  those who asked are told
            if isinstance(error, sqlite3.Error) and not isinstance(error, _FAULTS):
                self._forget()
            for turn in turns:
                turn.error = _told(error)
        finally:
            self._inside = None
            self._lock.release()

    def _together(self, turns: Turns) -> bool:
        """Carry out all. False: one of several failed, and nothing was done. Raises the error of one alone."""
        connection = self._begun()
        session = _Session(connection)
        try:
            for turn in turns:
                turn.result = turn.work(session)
            connection.execute("COMMIT")
        except BaseException:
            _take_back(connection)
            if len(turns) == 1:
                raise
            return False
        return True

    def _apart(self, turns: Turns) -> None:
        """Carry out all, each behind a savepoint: one that fails takes back what it did alone."""
        connection = self._begun()
        session = _Session(connection)
        try:
            for turn in turns:
                connection.execute("SAVEPOINT turn")
                try:
                    turn.result = turn.work(session)
                except BaseException as error:  # noqa: BLE001  whoever asked is told
                    turn.error = _told(error)
                    connection.execute("ROLLBACK TO turn")  # fails when SQLite has taken back all, as on a full disk
                connection.execute("RELEASE turn")
            connection.execute("COMMIT")
        except BaseException:
            _take_back(connection)
            raise

    def _read(self, work: Callable[[Session], T]) -> T:
        try:
            connection = self._open()
            try:
                end = time.monotonic() + REPORT_SECONDS
                connection.set_progress_handler(lambda: time.monotonic() > end, LOOK_AFTER)
                connection.execute("BEGIN")
                return work(_Session(connection))
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def _begun(self) -> sqlite3.Connection:
        """The connection, with a transaction that holds the lock for writing."""
        if self._connection is None:
            self._connection = self._open()
            self._closing = weakref.finalize(self, self._connection.close)
        self._in_turn(self._connection, "BEGIN IMMEDIATE")
        return self._connection

    def _in_turn(self, connection: sqlite3.Connection, statement: str) -> None:
        """Carry out a statement that fails while another worker writes."""
        pause, end = FIRST_PAUSE, 0.0
        while True:
            try:
                connection.execute(statement)
                return
            except sqlite3.OperationalError as error:
                now = time.monotonic()
                end = end or now + self._timeout
                if error.sqlite_errorcode & _KIND not in _BUSY or now >= end:
                    raise
            time.sleep(pause)  # another worker's turn; other calls of this one go on
            pause = min(pause * 2, LONGEST_PAUSE)

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(detail=f"{self._path.parent}: {error.strerror}") from error
        connection = sqlite3.connect(self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            self._in_turn(connection, "PRAGMA journal_mode = WAL")  # of several that open a new file, one changes it
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _forget(self) -> None:
        self._connection = None
        if self._closing is not None:
            self._closing()


class _Session:
    __slots__ = ("_execute",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute

    def rows(self, sql: Sql, params: Params = _NOTHING) -> Sequence[Row]:
        """See `Session`."""
        return self._execute(sql.sqlite, params).fetchall()

    def change(self, sql: Sql, params: Params = _NOTHING) -> int:
        """See `Session`."""
        return self._execute(sql.sqlite, params).rowcount


def _take_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # a full disk has taken it back already
        connection.execute("ROLLBACK")


def _told(error: BaseException) -> BaseException:
    """What whoever asked is told of an error; nobody else is told the same object."""
    if isinstance(error, _FAULTS):
        told: BaseException = fault_of(error)
    elif isinstance(error, sqlite3.Error):
        told = unavailable(error)
    elif isinstance(error, StoreUnavailable):
        told = unavailable(str(error.detail))
    else:
        return error
    told.__cause__ = error
    return told
