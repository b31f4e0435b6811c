"""PostgreSQL through psycopg 3: one database, shared by all machines.

psycopg waits cooperatively in a process that gevent has patched, so it is imported when the first connection is
made: by then a worker is patched, and a server on SQLite never loads it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gevent

from lib.base.errors import StoreNotAsked, StoreUnavailable
from lib.stores.database import REPORT_SECONDS, REPORTS, Params, Row, Session, Sql, T, TakenBack, fault_of, unavailable

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

MAX_CONNECTIONS = 8  # of one worker; a transaction takes a millisecond or two
PATIENCE = 3  # times the timeout, for a turn in a crowd, while others get their answers
LONGEST = 60_000  # milliseconds that the server works, or waits for us, before it gives up by itself
_NOTHING: Mapping[str, Any] = {}


class PostgresDatabase:
    """A small pool of connections. A call that gets none in time, or no answer, fails: it never hangs."""

    kind = "postgresql"

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._turns = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._reports = threading.BoundedSemaphore(REPORTS)
        self._idle: list[Connection[Row]] = []
        self._failures = 0

    def run(self, work: Callable[[Session], T]) -> T:
        """See `Database`."""
        return self._within(self._timeout, work)

    def report(self, work: Callable[[Session], T]) -> T:
        """See `Database`."""
        if not self._reports.acquire(timeout=REPORT_SECONDS):
            raise unavailable("other reports take too long")
        try:
            return self._within(REPORT_SECONDS, work)
        finally:
            self._reports.release()

    def close(self) -> None:
        """See `Database`."""
        while self._idle:
            self._idle.pop().close()

    def _within(self, seconds: float, work: Callable[[Session], T]) -> T:
        self._take_turn()
        try:
            with gevent.Timeout(seconds, unavailable("no answer in time")):
                return self._tried(seconds, work)
        except StoreUnavailable:
            self._failures += 1
            raise
        finally:
            self._turns.release()

    def _take_turn(self) -> None:
        """Wait until a connection is free. Who waits while another call fails does not try as well."""
        if self._turns.acquire(blocking=False):
            return
        failures = self._failures
        if not self._turns.acquire(timeout=PATIENCE * self._timeout):
            raise StoreNotAsked(detail="all connections are in use")
        if failures != self._failures:
            self._turns.release()
            raise StoreNotAsked(detail="it failed while this call waited for its turn")

    def _tried(self, seconds: float, work: Callable[[Session], T]) -> T:
        """Carry out `work`; once more on a new connection when a kept one turns out to be dead."""
        from psycopg import DataError, Error, IntegrityError, OperationalError  # noqa: PLC0415  see above

        while True:
            kept = bool(self._idle)
            try:
                connection = self._idle.pop() if kept else self._open(seconds)
            except Error as error:
                raise unavailable(error) from error
            try:
                return self._carried_out(connection, work)
            except OperationalError as error:
                if not (kept and connection.broken):
                    raise unavailable(error) from error
            except (DataError, IntegrityError) as error:
                raise fault_of(error) from error
            except Error as error:
                raise unavailable(error) from error

    def _carried_out(self, connection: Connection[Row], work: Callable[[Session], T]) -> T:
        try:
            with connection.cursor() as cursor:
                cursor.execute("BEGIN")
                result = self._or_taken_back(cursor, work)
                cursor.execute("COMMIT")
        except StoreUnavailable:  # the time is over: whatever comes on this connection is not for the next call
            connection.pgconn.finish()
            raise
        except BaseException:
            self._keep(connection)
            raise
        self._keep(connection)
        return result

    def _or_taken_back(self, cursor: Cursor[Row], work: Callable[[Session], T]) -> T:
        """What `work` gives. When it takes the transaction back, the connection is good for the next one."""
        try:
            return work(_Session(cursor))
        except TakenBack:
            cursor.execute("ROLLBACK")
            raise

    def _keep(self, connection: Connection[Row]) -> None:
        """Keep a connection for the next transaction, if it is between two."""
        if connection.info.transaction_status == 0:
            self._idle.append(connection)
        else:
            connection.pgconn.finish()

    def _open(self, seconds: float) -> Connection[Row]:
        import psycopg  # noqa: PLC0415  see above

        milliseconds = int(seconds * 1000)
        return psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=max(2, int(self._timeout)),
            application_name="aiproxy",
            client_encoding="utf8",  # else a database in SQL_ASCII gives bytes for text
            options=f"-c lock_timeout={milliseconds} -c statement_timeout={LONGEST} "
            f"-c idle_in_transaction_session_timeout={LONGEST}",
            tcp_user_timeout=milliseconds,
        )


class _Session:
    __slots__ = ("_cursor",)

    def __init__(self, cursor: Cursor[Row]) -> None:
        self._cursor = cursor

    def rows(self, sql: Sql, params: Params = _NOTHING) -> Sequence[Row]:
        """See `Session`."""
        return self._cursor.execute(sql.postgresql, params).fetchall()

    def change(self, sql: Sql, params: Params = _NOTHING) -> int:
        """See `Session`."""
        return self._cursor.execute(sql.postgresql, params).rowcount
