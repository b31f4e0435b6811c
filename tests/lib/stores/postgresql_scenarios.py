"""What test_postgresql.py lets a patched process do. Each function returns what its test looks at."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import gevent

from lib.base.errors import StoreUnavailable
from lib.stores import Session, Sql
from lib.stores.postgresql import PostgresDatabase

_ONE = Sql("SELECT 1")


def crowd(url: str, timeout: float, number: int) -> dict[str, Any]:
    """Calls in greenlets: how many heard what, and how long the longest took."""
    database = PostgresDatabase(url, timeout)

    def ask() -> tuple[str, float]:
        begin = time.monotonic()
        try:
            database.run(lambda session: session.rows(_ONE))
        except StoreUnavailable as error:
            return str(error.detail), time.monotonic() - begin
        return "answered", time.monotonic() - begin

    calls = [gevent.spawn(ask) for _ in range(number)]
    gevent.joinall(calls)
    database.close()
    return {"heard": Counter(call.value[0] for call in calls), "longest": max(call.value[1] for call in calls)}


def late(url: str, timeout: float) -> list[str]:
    """What a connection whose answer came too late says to the next call."""
    database = PostgresDatabase(url, timeout)

    def slow(session: Session) -> object:
        return session.rows(Sql(f"SELECT 'late', pg_sleep({3 * timeout})"))

    try:
        database.run(slow)
    except StoreUnavailable as error:
        found = [str(error.detail)]
    found.append(database.run(lambda session: session.rows(Sql("SELECT 'next'")))[0][0])
    database.close()
    return found
