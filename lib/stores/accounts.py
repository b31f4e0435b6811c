"""Budgets and the ledger, moved together: what a call may cost is reserved before it, and settled after it.

Every movement is one transaction, so a process that ends between any two statements leaves the books as they
were before or as they are after. Lines are shared by many calls, so they come last in it, and always in one order:
two movements never wait for each other, and nobody waits for one longer than need be. All amounts are in nano-USD,
all times in milliseconds since 1970.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from lib.stores.database import Database, Session, Sql, TakenBack

LOST = "lost"
CALL_COLUMNS = (
    "id", "time", "request_id", "caller", "key", "run", "tags", "family", "route", "model_asked", "model_served",
    "provider", "attempts", "status", "error", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "cost", "exactness", "charged", "first_byte_ms", "total_ms", "stream",
    "client_gone",
)  # fmt: skip


class Line(msgspec.Struct, frozen=True, array_like=True, order=True):
    """One period of one budget: `spent` and `reserved` together may reach `cap`.

    After `lapses_after` the line may be forgotten; never when None.
    """

    owner: str
    period: str
    start: int
    cap: int
    lapses_after: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a line holds."""

    line: Line
    spent: int
    reserved: int

    @property
    def cap(self) -> int:
        """What the line may hold in all."""
        return self.line.cap

    @property
    def left(self) -> int:
        """What may still be reserved; never below 0."""
        return max(0, self.line.cap - self.spent - self.reserved)


class Reservation(msgspec.Struct, frozen=True):
    """A call before it is sent. `entry` is what its row in the ledger will say, as far as that is known."""

    id: str
    worker: str
    opened_at: int
    amount: int
    lines: tuple[Line, ...]
    entry: Mapping[str, Any]


class Swept(NamedTuple):
    """How many reservations were closed, and the ids of those that cannot be read: they stay."""

    closed: int
    unreadable: list[str]


class Overdrawn(Exception):
    """A line has less left than was asked for."""

    def __init__(self, standing: Standing) -> None:
        super().__init__()
        self.standing = standing


class _DoesNotFit(TakenBack):
    """The reservation is not to be made."""


class Accounts:
    """The books of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, reservation: Reservation) -> None:
        """Reserve the amount on every line, or on none. Raises `Overdrawn`, `StoreUnavailable`."""
        lines = tuple(sorted(reservation.lines))
        if any(reservation.amount > line.cap for line in lines):
            raise self._overdrawn(lines)

        def work(session: Session) -> None:
            session.change(_OPEN, _opened(reservation, lines))
            if lines and _reserve(session, reservation, lines) < len(lines):
                raise _DoesNotFit

        try:
            self._database.run(work)
        except _DoesNotFit:
            raise self._overdrawn(lines) from None

    def close(self, reservation: Reservation, row: Mapping[str, Any], now: int) -> None:
        """Settle: give back what was reserved, charge `row["cost"]`, write the row. The second time changes nothing.

        A call that was given up as lost, and comes back, is charged what it cost after all.
        """
        lines = tuple(sorted(reservation.lines))
        cost: int = row["cost"]

        def work(session: Session) -> None:
            held = session.rows(_CLOSE, {"id": reservation.id})
            charge, back = cost, 0
            if held:
                back = held[0][0]
            elif lost := session.rows(_UNLOSE, {"id": reservation.id}):
                charge -= lost[0][0]
            elif session.rows(_KNOWN, {"id": reservation.id}):
                return
            session.change(_RECORD, row)
            _charge(session, lines, charge, back, now)

        self._database.run(work)

    def release(self, reservation: Reservation, now: int) -> None:
        """Give back what was reserved for a call that reached nobody; the ledger gets no row, and loses the one of
        a call that was given up as lost."""
        lines = tuple(sorted(reservation.lines))

        def work(session: Session) -> None:
            if held := session.rows(_CLOSE, {"id": reservation.id}):
                _charge(session, lines, 0, held[0][0], now)
            elif lost := session.rows(_UNLOSE, {"id": reservation.id}):
                _charge(session, lines, -lost[0][0], 0, now)

        self._database.run(work)

    def _overdrawn(self, lines: Sequence[Line]) -> Overdrawn:
        """The tightest line, as it is by now."""
        return Overdrawn(min(self.standings(lines), key=lambda standing: standing.left))

    def standings(self, lines: Sequence[Line]) -> list[Standing]:
        """What the lines hold at the moment. Raises `StoreUnavailable`."""
        return self._database.run(lambda session: _standings(session, lines))

    def alive(self, worker: str, now: int) -> None:
        """Say that a worker lives."""
        self._database.run(lambda session: session.change(_ALIVE, {"id": worker, "now": now}))

    def leave(self, worker: str) -> None:
        """Say that a worker ends. Its open reservations, if any, are lost."""
        self._database.run(lambda session: session.change(_LEAVE, {"id": worker}))

    def sweep(self, silent_since: int, now: int, most: int = 100) -> Swept:
        """Close the reservations of workers that were not heard of after `silent_since`: the call is lost, and
        charged what was reserved, since nobody knows what it cost. At most `most`."""

        def work(session: Session) -> Swept:
            found = session.rows(_ORPHANS, {"since": silent_since, "most": most})
            lost: Counter[Line] = Counter()
            unreadable: list[str] = []
            for id_, amount, lines, entry in found:
                if not _is_readable(lines, entry):
                    unreadable.append(id_)
                elif session.change(_FORGET, {"id": id_}):  # else another worker sweeps as well
                    session.change(_RECORD, _lost(id_, amount, lines, msgspec.json.decode(entry)))
                    lost.update(dict.fromkeys(_decode_lines(lines), amount))
            session.change(_FORGET_WORKERS, {"since": silent_since})
            for line, amount in sorted(lost.items()):
                _charge(session, (line,), amount, amount, now)
            return Swept(len(found) - len(unreadable), unreadable)

        return self._database.run(work)

    def forsake(self, worker: str, known: Container[str], now: int) -> int:
        """Give back what a worker's reservations hold that it does not know of: it was told that they failed, and
        they were made all the same, by a database that answered too late. How many there were."""

        def work(session: Session) -> int:
            back: Counter[Line] = Counter()
            strays = [found for found in session.rows(_OF_WORKER, {"worker": worker}) if found[0] not in known]
            for id_, lines in strays:
                for (amount,) in session.rows(_CLOSE, {"id": id_}):
                    back.update(dict.fromkeys(_decode_lines(lines), amount))
            for line, amount in sorted(back.items()):
                _charge(session, (line,), 0, amount, now)
            return len(strays)

        return self._database.run(work)

    def tidy(self, now: int, calls_before: str | None, most: int = 500) -> int:
        """Delete lines that lapsed and rows of the ledger with ids before `calls_before`: at most `most` of each.
        How many rows went."""

        def work(session: Session) -> int:
            gone = session.change(_LAPSE, {"now": now, "most": most})
            if calls_before is not None:
                gone += session.change(_PRUNE, {"before": calls_before, "most": most})
            return gone

        return self._database.run(work)


_decode_lines = msgspec.json.Decoder(tuple[Line, ...]).decode
_encode = msgspec.json.encode


def _is_readable(lines: str, entry: str) -> bool:
    """Whether a reservation is one of this program: one bad row must not keep the others from being closed."""
    try:
        _decode_lines(lines)
        return isinstance(msgspec.json.decode(entry), dict)
    except msgspec.DecodeError:
        return False


_OPEN = Sql(
    "INSERT INTO reservations (id, worker, opened_at, amount, lines, entry) "
    "VALUES (:id, :worker, :opened_at, :amount, :lines, :entry)"
)
_STANDING = Sql("SELECT spent, reserved FROM spending WHERE owner = :owner AND period = :period AND start = :start")
_CLOSE = Sql("DELETE FROM reservations WHERE id = :id RETURNING amount")
_OF_WORKER = Sql("SELECT id, lines FROM reservations WHERE worker = :worker ORDER BY id")
_FORGET = Sql("DELETE FROM reservations WHERE id = :id")
_UNLOSE = Sql("DELETE FROM calls WHERE id = :id AND exactness = 'lost' RETURNING cost")
_KNOWN = Sql("SELECT 1 FROM calls WHERE id = :id")
_RECORD = Sql(
    f"INSERT INTO calls ({', '.join(CALL_COLUMNS)}) VALUES ({', '.join(':' + name for name in CALL_COLUMNS)})"  # noqa: S608  fixed names
)
_ALIVE = Sql("INSERT INTO workers (id, seen) VALUES (:id, :now) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen")
_LEAVE = Sql("DELETE FROM workers WHERE id = :id")
_ORPHANS = Sql(
    "SELECT r.id, r.amount, r.lines, r.entry FROM reservations r LEFT JOIN workers w ON w.id = r.worker "
    "WHERE COALESCE(w.seen, r.opened_at) < :since ORDER BY r.id LIMIT :most"
)
_FORGET_WORKERS = Sql(
    "DELETE FROM workers WHERE seen < :since AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.worker = workers.id)"
)
_LAPSE = Sql(
    "DELETE FROM spending WHERE (owner, period, start) IN (SELECT owner, period, start FROM spending "
    "WHERE lapses_after < :now AND reserved = 0 LIMIT :most) AND lapses_after < :now AND reserved = 0"
)  # twice: PostgreSQL looks again at a line that was changed meanwhile, but not into the list
_PRUNE = Sql("DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE id < :before ORDER BY id LIMIT :most)")


@lru_cache(maxsize=32)
def _spending(lines: int, *, reserve: bool) -> Sql:
    """The statement that moves amounts on so many lines at once; only if all of `reserved` still fits, or always."""
    values = ", ".join(
        f"(:owner{n}, :period{n}, :start{n}, :cap{n}, :spent, :reserved, :now, :lapses_after{n})" for n in range(lines)
    )
    fits = " WHERE spending.spent + spending.reserved + excluded.reserved <= excluded.cap" if reserve else ""
    return Sql(
        "INSERT INTO spending (owner, period, start, cap, spent, reserved, touched, lapses_after) "  # noqa: S608  numbers only
        f"VALUES {values} ON CONFLICT (owner, period, start) DO UPDATE SET "
        "spent = spending.spent + excluded.spent, reserved = spending.reserved + excluded.reserved, "
        f"cap = excluded.cap, touched = excluded.touched, lapses_after = CASE "
        "WHEN spending.lapses_after > excluded.lapses_after THEN spending.lapses_after "
        f"ELSE excluded.lapses_after END{fits}"
    )


def _moved(lines: tuple[Line, ...], spent: int, reserved: int, now: int) -> dict[str, Any]:
    params: dict[str, Any] = {"spent": spent, "reserved": reserved, "now": now}
    for line, names in zip(lines, _names(len(lines)), strict=True):
        params.update(zip(names, msgspec.structs.astuple(line), strict=True))
    return params


@lru_cache(maxsize=32)
def _names(lines: int) -> tuple[tuple[str, ...], ...]:
    """The names of parameters for each of so many lines."""
    return tuple(tuple(f"{field}{n}" for field in Line.__struct_fields__) for n in range(lines))


def _reserve(session: Session, reservation: Reservation, lines: tuple[Line, ...]) -> int:
    moved = _moved(lines, 0, reservation.amount, reservation.opened_at)
    return session.change(_spending(len(lines), reserve=True), moved)


def _charge(session: Session, lines: tuple[Line, ...], cost: int, back: int, now: int) -> None:
    if lines:
        session.change(_spending(len(lines), reserve=False), _moved(lines, cost, -back, now))


def _standings(session: Session, lines: Sequence[Line]) -> list[Standing]:
    found = []
    for line in lines:
        rows = session.rows(_STANDING, {"owner": line.owner, "period": line.period, "start": line.start})
        spent, reserved = rows[0] if rows else (0, 0)
        found.append(Standing(line, spent, reserved))
    return found


def _opened(reservation: Reservation, lines: tuple[Line, ...]) -> dict[str, Any]:
    return {
        "id": reservation.id,
        "worker": reservation.worker,
        "opened_at": reservation.opened_at,
        "amount": reservation.amount,
        "lines": _encode(lines).decode(),
        "entry": _encode(reservation.entry).decode(),
    }


def _lost(id_: str, amount: int, lines: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The row of a call whose worker ended."""
    unknown = dict.fromkeys(CALL_COLUMNS)
    counts = dict.fromkeys((name for name in CALL_COLUMNS if name.endswith("_tokens")), 0)
    outcome = {"attempts": 0, "status": 0, "error": "worker_lost", "client_gone": False}
    return {**unknown, **counts, **outcome, **entry, "id": id_, "cost": amount, "exactness": LOST, "charged": lines}
