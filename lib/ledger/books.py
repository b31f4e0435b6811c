"""The books as one worker keeps them: it reserves before a call, settles after it, and closes what others left open.

What could not be written because the database was away is kept, and written when it is back.
"""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable

from lib.base.errors import StoreUnavailable
from lib.ledger.entry import Facts, Outcome, new_id, row
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
        self._unwritten: deque[Callable[[], None]] = deque()
        self._signed_in = False
        self._on_unavailable = on_unavailable
        self.clock = clock

    def open(self, amount: int, lines: tuple[Line, ...], facts: Facts) -> Reservation:
        """Reserve `amount` nano-USD on every line. Raises `lib.stores.Overdrawn`, `StoreUnavailable`."""
        reservation = self.unwritten(amount, lines, facts)
        try:
            if not self._signed_in:
                self._sign_in()
            self._accounts.open(reservation)
        except StoreUnavailable as error:
            self._on_unavailable()
            if error.asked and len(self._unwritten) < MAX_UNWRITTEN:  # it may be made: nobody else would give it back
                self._unwritten.append(lambda: self._accounts.release(reservation, self.clock()))
            raise
        return reservation

    def unwritten(self, amount: int, lines: tuple[Line, ...], facts: Facts) -> Reservation:
        """A reservation that nobody holds: for calls that are let through while the database is away."""
        return Reservation(new_id(facts.time), self._worker, facts.time, amount, lines, facts.entry())

    def close(self, reservation: Reservation, outcome: Outcome) -> None:
        """Settle a call and write its row. Never raises: what cannot be written now is written later."""
        made = row(reservation.id, reservation.entry, outcome, reservation.lines)
        self._write(lambda: self._accounts.close(reservation, made, self.clock()))

    def release(self, reservation: Reservation) -> None:
        """Give back what was reserved for a call that was never sent. Never raises."""
        self._write(lambda: self._accounts.release(reservation, self.clock()))

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
        self._sign_in()
        self._catch_up()
        now = self.clock()
        while lost := self._accounts.sweep(now - self._lease, now, BATCH):
            log.error("calls of a worker that ended were closed as lost", count=lost)

    def tidy(self) -> int:
        """Delete a batch of what is too old; how many rows went. Raises `StoreUnavailable`."""
        now = self.clock()
        return self._accounts.tidy(now, None if self._retention is None else now - self._retention)

    def leave(self) -> None:
        """Sign this worker off. Raises `StoreUnavailable`."""
        self._catch_up()
        if self._signed_in:
            self._accounts.leave(self._worker)

    def _sign_in(self) -> None:
        self._accounts.alive(self._worker, self.clock())
        self._signed_in = True

    # ---- writing ----

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreUnavailable as error:
            self._on_unavailable()
            if len(self._unwritten) >= MAX_UNWRITTEN:
                log.critical("a call is not in the ledger: too many wait for the database", detail=error.detail)
                return
            self._unwritten.append(write)
            log.error("the ledger is written later", waiting=len(self._unwritten), detail=error.detail)

    def _catch_up(self) -> None:
        """Write what waits. One that fails goes to the end of the queue, so that it holds up no other."""
        for _ in range(len(self._unwritten)):
            try:
                self._unwritten[0]()
            except StoreUnavailable:
                self._unwritten.rotate(-1)
                raise
            self._unwritten.popleft()
