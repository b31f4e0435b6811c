"""What test_sqlite_together.py lets a patched process do: calls in greenlets that come to one file at the same time."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import gevent

from lib.base.errors import AIProxyError
from lib.stores import Session, Sql
from lib.stores.sqlite import SqliteDatabase

_TABLE = Sql("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
_INSERT = Sql("INSERT INTO numbers VALUES (:number)")
_ALL = Sql("SELECT number FROM numbers ORDER BY number")
Work = Callable[[Session], Any]


class Watched(SqliteDatabase):
    """A file with a table, to which calls have come together just now, and the ends of the transactions on it."""

    def __init__(self, path: str, timeout: float = 5.0) -> None:
        super().__init__(Path(path), timeout)
        self.run(lambda session: session.change(_TABLE))
        heard(self, [read, read])
        self.ends: list[str] = []
        assert self._connection is not None
        self._connection.set_trace_callback(self._seen)

    def _seen(self, statement: str) -> None:
        if statement in ("COMMIT", "ROLLBACK"):
            self.ends.append(statement)

    def held(self) -> list[int]:
        return [number for (number,) in self.run(read)]


def read(session: Session) -> Any:
    return session.rows(_ALL)


def insert(number: int) -> Work:
    return lambda session: session.change(_INSERT, {"number": number})


def insert_then_fail(number: int) -> Work:
    def work(session: Session) -> None:
        session.change(_INSERT, {"number": number})
        raise ValueError(f"not {number}")

    return work


def heard(database: SqliteDatabase, works: list[Work]) -> list[str]:
    """What each call is told."""

    def ask(work: Work) -> str:
        try:
            return f"changed {database.run(work)}"
        except (AIProxyError, ValueError) as error:
            return f"{type(error).__name__} {error}" if isinstance(error, ValueError) else type(error).__name__

    calls = [gevent.spawn(ask, work) for work in works]
    gevent.joinall(calls, timeout=20)
    return [call.value for call in calls]


def together(path: str) -> dict[str, Any]:
    database = Watched(path)
    told = heard(database, [insert(number) for number in range(20)])
    return {"told": set_of(told), "ends": [*database.ends], "held": len(database.held())}


def one_at_a_time(path: str) -> dict[str, Any]:
    """How often the loop came round while each of some calls was answered; the first comes after a crowd."""
    database, rounds = Watched(path), [0]
    seen = []
    for number in range(5):
        gevent.sleep(0)
        gevent.get_hub().loop.run_callback(lambda: rounds.append(0))
        before = len(rounds)
        database.run(insert(number))
        seen.append(len(rounds) - before)
    return {"rounds": seen, "held": len(database.held())}


def one_fails(path: str) -> dict[str, Any]:
    database = Watched(path)
    told = heard(database, [insert(1), insert_then_fail(2), insert(1), insert(3)])
    return {"told": told, "ends": [*database.ends], "held": database.held()}


def commit_fails(path: str) -> dict[str, Any]:
    """The disk takes no more: the write-ahead log may not grow."""
    database = Watched(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size, hard))
    try:
        told = heard(database, [insert(number) for number in range(3)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    return {"told": told, "held": database.held(), "later": heard(database, [insert(7)])}


def asker_is_killed(path: str) -> dict[str, Any]:
    database = Watched(path)
    doomed, other = gevent.spawn(database.run, insert(1)), gevent.spawn(database.run, insert(2))
    gevent.spawn(doomed.kill)  # runs when both have asked, and before they are answered
    gevent.joinall([doomed, other], timeout=20)
    return {"doomed": type(doomed.value).__name__, "other": other.value, "held": database.held()}


def joined_while_held(path: str, timeout: float, seconds: float) -> dict[str, Any]:
    """Another process, here another connection, writes for so many seconds."""
    database = Watched(path, timeout)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        gevent.spawn_later(seconds, holder.execute, "COMMIT")
        first = gevent.spawn(heard, database, [insert(1), insert(2)])
        gevent.sleep(min(timeout, seconds) / 2)
        told = heard(database, [insert(3), insert(4)])
        first.join()
        gevent.sleep(max(0.0, seconds - timeout) + 0.05)
        return {"told": [*first.value, *told], "ends": [*database.ends], "held": database.held()}


def asks_while_asked(path: str, calls: int) -> dict[str, Any]:
    """The first of some calls asks for more while it is carried out."""
    database = Watched(path)

    def work(session: Session) -> Any:
        try:
            return database.run(read)
        except RuntimeError as error:
            return type(error).__name__

    told = heard(database, [work, *(insert(number) for number in range(1, calls))])
    return {"told": told, "held": database.held()}


def dies_in_the_middle(path: str) -> None:
    database = Watched(path)
    works = [insert(1), insert(2), lambda _session: os.kill(os.getpid(), signal.SIGKILL), insert(3)]
    heard(database, works)


def set_of(values: list[str]) -> list[str]:
    return sorted(set(values))
