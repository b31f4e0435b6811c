"""What the books say, read from the database itself, and whether they add up."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from lib.base.errors import StoreUnavailable
from lib.stores import Sql, open_database
from tests.drills.crowd import until
from tests.upstream import Gateway
from tests.upstream.gateway import ROOT

USD = 10**9
Line = tuple[str, str, int]
_CALLS = Sql("SELECT id, request_id, run, caller, status, attempts, error, cost, exactness, charged, stream FROM calls")
_NAMES = ("id", "marker", "run", "caller", "status", "attempts", "error", "cost", "exactness", "charged", "stream")
_SPENDING = Sql("SELECT owner, period, start, spent, reserved FROM spending")
_OPEN = Sql("SELECT id, worker, entry FROM reservations")
_WORKERS = Sql("SELECT id FROM workers")


class Books:
    """The books at a URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, **wanted: Any) -> list[dict[str, Any]]:
        """The rows of the ledger that have these values."""
        rows = [dict(zip(_NAMES, found, strict=True)) for found in self._read(_CALLS)]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def spending(self) -> dict[Line, tuple[int, int]]:
        """For each period of a budget what is spent and what is reserved, in nano-USD."""
        return {(found[0], found[1], found[2]): (found[3], found[4]) for found in self._read(_SPENDING)}

    def open_calls(self) -> list[tuple[Any, ...]]:
        """Reservations: id, worker, entry."""
        return self._read(_OPEN)

    def workers(self) -> list[str]:
        """Who is known to live."""
        return [str(found[0]) for found in self._read(_WORKERS)]

    def settled(self, seconds: float = 60.0) -> list[dict[str, Any]]:
        """All rows, as soon as nothing is reserved any more. They must add up, and name no call twice."""
        until(lambda: not self.open_calls(), seconds)
        rows, spending = self.rows(), self.spending()
        charged: Counter[Line] = Counter()
        for row in rows:
            for line in json.loads(row["charged"]):
                charged[line[0], line[1], line[2]] += row["cost"]
        assert {line: (charged[line], 0) for line in spending} == spending
        twice = {marker: times for marker, times in Counter(row["marker"] for row in rows).items() if times > 1}
        assert not twice
        return rows

    def _read(self, sql: Sql) -> list[tuple[Any, ...]]:
        with closing(open_database(self.url, 10.0)) as database:
            return [tuple(found) for found in database.run(lambda session: session.rows(sql))]


def make_key(gateway: Gateway, name: str, *options: str) -> str:
    """A managed key in the database of a gateway, made as an operator makes it."""
    command = [sys.executable, "-m", "lib.cli.keys", "create", name, "--json", *options]
    done = subprocess.run(
        command, cwd=gateway.directory, env=gateway.settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["key"])


def markers(rows: Iterable[dict[str, Any]]) -> set[str]:
    """The markers of rows."""
    return {row["marker"] for row in rows}


def there(url: str) -> bool:
    """Whether the database answers."""
    try:
        Books(url).workers()
    except StoreUnavailable:
        return False
    return True


__all__ = ["ROOT", "USD", "Books", "make_key", "markers", "there"]
