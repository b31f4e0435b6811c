"""The ledger as a caller reads it: rows and sums with their names, money as decimal text, times in RFC 3339."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from lib.base.money import NANO, show
from lib.stores import ROW_COLUMNS, SUM_COLUMNS, Calls, Database, Row, Selection

BLOCK = 500  # rows that are read and written at once, so that other calls of the worker have their turn
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES: dict[str, Callable[[int], str]] = {
    "day": lambda days: f"{_EPOCH + timedelta(days=days):%Y-%m-%d}",
    "hour": lambda hours: f"{_EPOCH + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}",
}
_decode_tags = msgspec.json.Decoder(dict[str, str]).decode
_NO_COST = ("usd", "nano")
COUNTS = tuple(name for name in SUM_COLUMNS if name not in _NO_COST)


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `time` is when it arrived; `key` is a managed key's id; `status` is null when nobody knows it."""

    id: str
    time: str
    caller: str
    key: str | None
    run: str | None
    tags: dict[str, str]
    family: str
    route: str
    model: str
    model_served: str | None
    provider: str | None
    attempts: int
    status: int | None
    error: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: str
    exactness: str
    first_byte_ms: int | None
    total_ms: int | None
    stream: bool
    client_gone: bool
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first. `next` is where the following page begins; None after the last one."""

    rows: list[CallRow]
    next: str | None


@dataclass(frozen=True, slots=True)
class Grouping:
    """What to sum by: names of `lib.stores.GROUPS`, and `tag` for the value of the tag that `tag` names."""

    by: tuple[str, ...]
    tag: str | None = None

    def columns(self) -> tuple[str, ...]:
        """What the groups' fields are called."""
        return tuple(f"tag:{self.tag}" if name == "tag" else name for name in self.by)


@dataclass(frozen=True, slots=True)
class Sums:
    """Groups, newest first, then dearest first; `truncated` when there are more. `total` is the sum of all."""

    groups: list[dict[str, Any]]
    truncated: bool
    total: dict[str, Any]


class Reports:
    """What can be asked of the ledger. All of it raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._calls = Calls(database)

    def page(self, which: Selection, limit: int) -> Page:
        """The newest rows, at most `limit`. `which.until` continues where another page ended."""
        rows: list[CallRow] = []
        while True:
            asked = min(BLOCK, limit - len(rows))
            found = self._calls.rows(which, asked + 1)
            rows.extend(map(_call, found[:asked]))
            if len(found) <= asked:
                return Page(rows, None)
            if len(rows) == limit:
                return Page(rows, rows[-1].id)
            which = replace(which, until=rows[-1].id)
            time.sleep(0)

    def sums(self, which: Selection, grouping: Grouping, limit: int) -> Sums:
        """The sums of at most `limit` groups."""
        found, total = self._calls.sums(which, grouping.by, limit, grouping.tag)
        names = grouping.columns()
        groups: list[dict[str, Any]] = []
        whole = dict.fromkeys((*COUNTS, "cost"), 0)
        for number, row in enumerate(found, 1):
            sums = _whole(row[len(names) :])
            groups.append({**_named(names, grouping.by, row), **_money(sums)})
            for name, amount in sums.items():
                whole[name] += amount
            if number % BLOCK == 0:
                time.sleep(0)
        return Sums(groups, total is not None, _money(_whole(total) if total else whole))


def moment(milliseconds: int) -> str:
    """A time in milliseconds since 1970 as RFC 3339 writes it, in UTC."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _call(row: Row) -> CallRow:
    fields = dict(zip(ROW_COLUMNS, row, strict=True))
    fields["time"] = moment(fields["time"])
    fields["tags"] = _tags(fields["tags"])
    fields["model"] = fields.pop("model_asked")
    fields["status"] = fields["status"] or None
    fields["cost_usd"] = show(fields.pop("cost"))
    fields["stream"], fields["client_gone"] = bool(fields["stream"]), bool(fields["client_gone"])
    return CallRow(**fields)


def _tags(text: str | None) -> dict[str, str]:
    return _decode_tags(text) if text else {}


def _named(names: tuple[str, ...], by: tuple[str, ...], row: Row) -> dict[str, Any]:
    return {name: _value(what, value) for name, what, value in zip(names, by, row, strict=False)}


def _value(name: str, value: Any) -> Any:
    if name == "tags":
        return _tags(value)
    if name == "status":
        return value or None
    return _TIMES[name](value) if name in _TIMES else value


def _whole(row: Row) -> dict[str, int]:
    """The sums of a row as whole numbers: a store says NULL for no rows, and adds in types of its own."""
    sums = {name: int(value or 0) for name, value in zip(SUM_COLUMNS, row, strict=True)}
    return {**{name: sums[name] for name in COUNTS}, "cost": sums["usd"] * NANO + sums["nano"]}


def _money(sums: Mapping[str, int]) -> dict[str, Any]:
    return {**{name: sums[name] for name in COUNTS}, "cost_usd": show(sums["cost"])}
