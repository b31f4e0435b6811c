"""Reservations and rows, shortly written."""

from __future__ import annotations

from typing import Any

from lib.ledger import new_id
from lib.stores import CALL_COLUMNS, Database, Line, Reservation, Sql

NOW = 1_700_000_000_000
MONTH = Line("key:a", "month", 1_698_796_800_000, 1000, NOW + 10**9)
DAY = Line("key:a", "day", 1_699_920_000_000, 600, NOW + 10**9)
ENTRY: dict[str, Any] = {
    "time": NOW,
    "request_id": "the-id",
    "caller": "a",
    "key": "k1",
    "run": None,
    "tags": None,
    "family": "openai",
    "route": "/v1/chat/completions",
    "model_asked": "gpt-4o",
    "stream": False,
}


def reservation(amount: int, *lines: Line, worker: str = "w1", at: int = NOW, **entry: Any) -> Reservation:
    """A call that may cost so much."""
    return Reservation(new_id(at), worker, at, amount, lines, {**ENTRY, **entry})


def row(reserved: Reservation, cost: int, **columns: Any) -> dict[str, Any]:
    """What the ledger says of it in the end."""
    counts = {name: 1 for name in CALL_COLUMNS if name.endswith("_tokens")}
    outcome = {"attempts": 1, "status": 200, "exactness": "exact", "charged": "[]", "client_gone": False}
    return {
        **dict.fromkeys(CALL_COLUMNS),
        **counts,
        **outcome,
        **reserved.entry,
        **columns,
        "id": reserved.id,
        "cost": cost,
    }


def ledger(database: Database) -> list[tuple[Any, ...]]:
    """Id, exactness and cost of every row."""
    return [tuple(found) for found in database.run(lambda session: session.rows(_LEDGER))]


def held(database: Database) -> dict[tuple[str, str, int], tuple[int, int]]:
    """What is spent and reserved on every line."""
    return {tuple(found[:3]): tuple(found[3:]) for found in database.run(lambda session: session.rows(_SPENDING))}


def open_calls(database: Database) -> int:
    """How many reservations there are."""
    count: int = database.run(lambda session: session.rows(_OPEN))[0][0]
    return count


_LEDGER = Sql("SELECT id, exactness, cost FROM calls ORDER BY id")
_SPENDING = Sql("SELECT owner, period, start, spent, reserved FROM spending")
_OPEN = Sql("SELECT count(*) FROM reservations")
