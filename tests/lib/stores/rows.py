"""Rows of the ledger, as tests need them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lib.ledger import new_id
from lib.stores import CALL_COLUMNS, Database, Sql
from tests.lib.stores.books import ENTRY, NOW

DAY = 86_400_000
_PUT = Sql(f"INSERT INTO calls ({', '.join(CALL_COLUMNS)}) VALUES ({', '.join(':' + name for name in CALL_COLUMNS)})")
_CLEAR = Sql("DELETE FROM calls")


def call(time: int = NOW, **columns: Any) -> dict[str, Any]:
    """A row: a plain good call, but for what is given."""
    counts = {name: 0 for name in CALL_COLUMNS if name.endswith("_tokens")}
    usual = {"attempts": 1, "status": 200, "cost": 0, "exactness": "exact", "charged": "[]", "client_gone": False}
    row = {**dict.fromkeys(CALL_COLUMNS), **ENTRY, **counts, **usual, **columns}
    return {**row, "id": new_id(time), "time": time}


def put(database: Database, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Write rows; their ids, newest first."""
    made = list(rows)

    def work(session: Any) -> None:
        for row in made:
            session.change(_PUT, row)

    database.run(work)
    return sorted((row["id"] for row in made), reverse=True)


def clear(database: Database) -> None:
    """Delete every row."""
    database.run(lambda session: session.change(_CLEAR))
