"""The books as one worker keeps them: it reserves before a call, settles after it, and closes what others left open.

What could not be written because the database was away is kept, and written when it is back.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from lib.base.errors import StoreFault, StoreNotAsked, StoreUnavailable
from lib.ledger.entry import Facts, Outcome, id_at, new_id, row
from lib.stores import Accounts, Line, Reservation, Standing
from lib.telemetry import get_logger

log = get_logger("aiproxy.ledger")

MAX_UNWRITTEN = 10_000  # settlements that are kept while the database is away
BATCH = 100


def milliseconds() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _nothing() -> None:
    """Who is told when nobody listens."""


class Books:
    """One worker's way to the books. `lease` is in seconds: who was silent for so long is taken for dead.

    `retention` is how long rows of the ledger are kept, in seconds; for ever when None. `on_unavailable` is told
    each time that the database was away.
    """

    def __init__(
        self,
        accounts: Accounts,
        *,
        lease: float = 30.0,
        retention: float | None = None,
        clock: Callable[[], int] = milliseconds,
        on_unavailable: Callable[[], None] = _nothing,
    ) -> None:
        self._accounts = accounts
        self._lease = int(lease * 1000)
        self._retention = None if retention is None else int(retention * 1000)
        self._worker = f"{socket.gethostname()[:32]}-{os.getpid()}-{os.urandom(6).hex()}"
        self._unwritten: deque[tuple[str, Callable[[], None]]] = deque()
        self._open: set[str] = set()  # reservations that are to be settled, or are being made
        self._keeping = threading.Lock()
        self._signed_at: int | None = None
        self._steady_since = 0
        self._left = False
        self._on_unavailable = on_unavailable
        self.clock = clock

    def open(self, amount: int, lines: tuple[Line, ...], facts: Facts) -> Reservation:
        """Reserve `amount` nano-USD on every line. Raises `lib.stores.Overdrawn`, `StoreUnavailable`."""
        reservation = self.unwritten(amount, lines, facts)
        self._open.add(reservation.id)
        try:
            if self._signed_at is None:
                self._sign_in()
            self._accounts.open(reservation)
        except StoreUnavailable as error:
            self._on_unavailable()
            if isinstance(error, StoreNotAsked) or len(self._unwritten) >= MAX_UNWRITTEN:
                self._open.discard(reservation.id)
            else:  # it may have been made after all
                self._unwritten.append((reservation.id, lambda: self._accounts.release(reservation, self.clock())))
            raise
        except BaseException:
            self._open.discard(reservation.id)
            raise
        return reservation

    def unwritten(self, amount: int, lines: tuple[Line, ...], facts: Facts) -> Reservation:
        """A reservation that nobody holds: for calls that are let through while the database is away."""
        return Reservation(new_id(facts.time), self._worker, facts.time, amount, lines, facts.entry())

    def close(self, reservation: Reservation, outcome: Outcome) -> None:
        """Settle a call and write its row. Never raises: what cannot be written now is written later."""
        made = row(reservation.id, reservation.entry, outcome, reservation.lines)
        self._write(reservation.id, lambda: self._accounts.close(reservation, made, self.clock()))

    def release(self, reservation: Reservation) -> None:
        """Give back what was reserved for a call that was never sent. Never raises."""
        self._write(reservation.id, lambda: self._accounts.release(reservation, self.clock()))

    def standings(self, lines: tuple[Line, ...]) -> list[Standing]:
        """What the lines hold. Raises `StoreUnavailable`."""
        return self._accounts.standings(lines)

    # ---- what a worker does now and then ----

    @property
    def heartbeat(self) -> float:
        """Seconds between two calls of `keep`."""
        return self._lease / 6000

    def keep(self) -> None:
        """Say that this worker lives, write what was left, close what dead workers left. Raises `StoreUnavailable`."""
        with self._keeping:
            if self._left:
                return
            self._sign_in()
            self._catch_up()
            now = self.clock()
            if strays := self._accounts.forsake(self._worker, self._open, now):
                log.warning("reservations were given back that had come too late", count=strays)
            if now - self._steady_since <= self._lease:
                return  # others may have been cut off as this one was: they are given their time
            self._sweep(now)

    def _sweep(self, now: int) -> None:
        while True:
            swept = self._accounts.sweep(now - self._lease, now, BATCH)
            if swept.unreadable:
                log.critical("reservations cannot be read and stay open", ids=swept.unreadable[:10])
            if not swept.closed:
                return
            log.error("calls of a worker that ended were closed as lost", count=swept.closed)

    def tidy(self) -> int:
        """Delete a batch of what is too old; how many rows went. Raises `StoreUnavailable`."""
        now = self.clock()
        return self._accounts.tidy(now, None if self._retention is None else id_at(now - self._retention))

    def leave(self) -> None:
        """Sign this worker off, for good. Raises `StoreUnavailable`."""
        with self._keeping:
            self._left = True
            try:
                self._catch_up()
                if self._signed_at is not None:
                    self._accounts.forsake(self._worker, self._open, self.clock())  # of calls that ended unanswered
                    self._accounts.leave(self._worker)
            except StoreUnavailable as error:
                level = log.critical if self._unwritten else log.error
                level("the worker ends while the database is away", unwritten=len(self._unwritten), detail=error.detail)
                raise

    def _sign_in(self) -> None:
        now = self.clock()
        self._accounts.alive(self._worker, now)
        if self._signed_at is None or not 0 <= now - self._signed_at <= self._lease // 2:
            self._steady_since = now
        self._signed_at = now

    # ---- writing ----

    def _write(self, id_: str, write: Callable[[], None]) -> None:
        try:
            self._written(id_, write)
        except StoreUnavailable as error:
            self._on_unavailable()
            if len(self._unwritten) >= MAX_UNWRITTEN:
                log.critical("a call is not in the ledger: too many wait for the database", detail=error.detail)
                return
            self._unwritten.append((id_, write))
            log.error("the ledger is written later", waiting=len(self._unwritten), detail=error.detail)

    def _catch_up(self) -> None:
        """Write what waits. One that fails goes to the end of the queue, so that it holds up no other."""
        for _ in range(len(self._unwritten)):
            if self._signed_at is None or self.clock() - self._signed_at > self._lease // 3:
                self._sign_in()  # while much is written, others must not take this worker for dead
            id_, write = self._unwritten[0]
            try:
                self._written(id_, write)
            except StoreUnavailable:
                self._unwritten.rotate(-1)
                raise
            self._unwritten.popleft()

    def _written(self, id_: str, write: Callable[[], None]) -> None:
        """Write; what a store can never hold is given up, so that it does not stand before all others for ever."""
        try:
            write()
        except StoreFault as error:
            log.critical("a call is not in the ledger: the database refuses its row", id=id_, detail=error.detail)
        self._open.discard(id_)
