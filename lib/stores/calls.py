"""The ledger, read: its rows, newest first, and their sums.

A statement is put together from the fixed pieces below alone; whatever comes from a caller is bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from lib.stores.accounts import CALL_COLUMNS
from lib.stores.database import Database, Row, Session, Sql

ROW_COLUMNS = tuple(name for name in CALL_COLUMNS if name != "charged")
SUM_COLUMNS = (
    "calls", "errors", "estimated", "lost", "unpriced", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "usd", "nano",
)  # fmt: skip
_SUMS = (
    "COUNT(*), COUNT(error), COUNT(*) FILTER (WHERE exactness = 'estimated'), "
    "COUNT(*) FILTER (WHERE exactness = 'lost'), COUNT(*) FILTER (WHERE exactness = 'unpriced'), "
    "SUM(input_tokens), SUM(output_tokens), SUM(cache_read_tokens), SUM(cache_write_tokens), SUM(reasoning_tokens), "
    "SUM(cost / 1000000000), SUM(cost % 1000000000)"  # apart, so that no sum of money is too large for 64 bits
)
_DEAREST = "SUM(cost / 1000000000) + SUM(cost % 1000000000) / 1000000000 DESC, SUM(cost % 1000000000) % 1000000000 DESC"

GROUPS = {
    "day": "time / 86400000",
    "hour": "time / 3600000",
    "model": "model_asked",
    "model_served": "model_served",
    "provider": "provider",
    "caller": "caller || ''",  # SQLite would go through the index, three times as slow as reading all
    "key": "key",
    "run": "run",
    "status": "status",
    "family": "family",
    "route": "route",
    "tags": "tags",
}
"""What rows can be summed by. `day` and `hour` are counted from 1970. `tag`, the value of one tag, comes on top."""
_TIMES = ("day", "hour")
_TAG = {
    "sqlite": "json_extract(tags, '$.\"' || :{name} || '\"')",
    "postgresql": "CAST(tags AS json) ->> CAST(:{name} AS text)",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are meant; None leaves a column open.

    `since` and `until` are ids, or their beginnings: from the one on, and before the other. `model` is asked or
    served. `keyless`: of callers without a managed key. `tag` is a tag's name and `tag_value` its value; a name
    holds no quotes.
    """

    since: str | None = None
    until: str | None = None
    caller: str | None = None
    key: str | None = None
    keyless: bool | None = None
    run: str | None = None
    model: str | None = None
    provider: str | None = None
    status: int | None = None
    exactness: str | None = None
    family: str | None = None
    route: str | None = None
    tag: str | None = None
    tag_value: str | None = None


_CONDITIONS = {
    "since": "id >= :since",
    "until": "id < :until",
    "caller": "caller = :caller",
    "key": "key = :key",
    "keyless": "key IS NULL",
    "run": "run = :run",
    "model": "(model_asked = :model OR model_served = :model)",
    "provider": "provider = :provider",
    "status": "status = :status",
    "exactness": "exactness = :exactness",
    "family": "family = :family",
    "route": "route = :route",
}


class Calls:
    """The ledger of one database. Everything here may take long, and holds up no call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, which: Selection, most: int) -> Sequence[Row]:
        """Up to `most` rows in the order of `ROW_COLUMNS`, newest first. Raises `StoreUnavailable`."""
        given = _given(which)
        sql = _rows(self._database.kind, tuple(given))
        return self._database.report(lambda session: session.rows(sql, {**given, "most": most}))

    def sums(
        self, which: Selection, by: tuple[str, ...], most: int, tag: str | None = None
    ) -> tuple[Sequence[Row], Row | None]:
        """Up to `most` groups, newest first, then dearest first, and the sum of all when there are more groups.

        A row holds what `by` names (`tag` for the value of the tag of that name), then `SUM_COLUMNS`.
        Raises `StoreUnavailable`.
        """
        given = _given(which)
        grouped = _sums(self._database.kind, tuple(given), by)
        total = _sums(self._database.kind, tuple(given), ())
        params = {**given, "by_tag": tag, "most": most + 1}

        def work(session: Session) -> tuple[Sequence[Row], Row | None]:
            found = session.rows(grouped, params)
            if len(found) <= most:
                return found, None
            return found[:most], session.rows(total, params)[0]

        return self._database.report(work)


def _given(which: Selection) -> dict[str, Any]:
    """The values to bind, by name."""
    values = {each.name: getattr(which, each.name) for each in fields(which)}
    return {name: value for name, value in values.items() if value is not None}


@lru_cache(maxsize=256)
def _rows(kind: str, names: tuple[str, ...]) -> Sql:
    return Sql(f"SELECT {', '.join(ROW_COLUMNS)} FROM calls{_where(kind, names)} ORDER BY id DESC LIMIT :most")  # noqa: S608  fixed pieces


@lru_cache(maxsize=256)
def _sums(kind: str, names: tuple[str, ...], by: tuple[str, ...]) -> Sql:
    if not by:
        return Sql(f"SELECT {_SUMS} FROM calls{_where(kind, names)}")  # noqa: S608  fixed pieces
    groups = [_TAG[kind].format(name="by_tag") if name == "tag" else GROUPS[name] for name in by]
    places = ", ".join(str(place) for place in range(1, len(by) + 1))
    order = [f"{place} DESC" for place, name in enumerate(by, 1) if name in _TIMES]
    rest = [str(place) for place, name in enumerate(by, 1) if name not in _TIMES]
    return Sql(
        f"SELECT {', '.join(groups)}, {_SUMS} FROM calls{_where(kind, names)} GROUP BY {places} "  # noqa: S608  fixed pieces
        f"ORDER BY {', '.join([*order, _DEAREST, *rest])} LIMIT :most"
    )


def _where(kind: str, names: tuple[str, ...]) -> str:
    pieces = [_CONDITIONS[name] for name in names if name in _CONDITIONS]
    if "tag" in names:
        pieces.append(f"{_TAG[kind].format(name='tag')} = :tag_value")
    return f" WHERE {' AND '.join(pieces)}" if pieces else ""
