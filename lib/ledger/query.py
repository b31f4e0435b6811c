"""What a caller asks of the ledger, read from the parameters of a query string.

Each is given once at most, and each is checked here: an error names the parameter and repeats nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.base.errors import BadRequest
from lib.ledger import values
from lib.ledger.entry import id_at
from lib.ledger.report import Grouping
from lib.stores import Selection

Arguments = Mapping[str, Sequence[str]]
DEFAULT_ROWS = 100
DEFAULT_GROUPS = 1000
DAYS = Grouping(("day",))
_SHOWN = re.compile(r"[A-Za-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: which rows, how many of them or of their groups, how they are summed, as CSV or not."""

    which: Selection
    limit: int
    csv: bool | None
    grouping: Grouping = DAYS


@dataclass(frozen=True, slots=True)
class BudgetQuery:
    """Whose budgets are asked for: those of the managed key of a name, the caller's own when None; and of which run."""

    key: str | None
    run: str | None
    csv: bool | None


def read_calls(arguments: Arguments) -> Query:
    """A question for rows. Raises `BadRequest`."""
    given = _read(arguments, CALLS)
    cursor = given.get("cursor")
    which = _selection(given)
    if cursor is not None and (which.until is None or cursor < which.until):
        which = _selection(given, until=cursor)
    return Query(which, given.get("limit", DEFAULT_ROWS), given.get("format"))


def read_sums(arguments: Arguments) -> Query:
    """A question for sums; of days, unless it says otherwise. Raises `BadRequest`."""
    given = _read(arguments, SUMS)
    return Query(_selection(given), given.get("limit", DEFAULT_GROUPS), given.get("format"), given.get("by", DAYS))


def read_budgets(arguments: Arguments) -> BudgetQuery:
    """A question for budgets. Raises `BadRequest`."""
    given = _read(arguments, BUDGETS)
    return BudgetQuery(given.get("key"), given.get("run"), given.get("format"))


def _selection(given: Mapping[str, Any], until: str | None = None) -> Selection:
    since, before = given.get("from"), given.get("to")
    if since is not None and before is not None and since >= before:
        raise BadRequest("`from` must be before `to`.", param="from")
    tag, value = given.get("tag", (None, None))
    columns = {name: given[name] for name in _COLUMNS if name in given}
    return Selection(
        since=None if since is None else id_at(since),
        until=until or (None if before is None else id_at(before)),
        tag=tag,
        tag_value=value,
        **columns,
    )


def _read(arguments: Arguments, known: Mapping[str, Parameter]) -> dict[str, Any]:
    for name in arguments:
        if name not in known:
            shown = name if _SHOWN.fullmatch(name) else None
            raise BadRequest(f"The parameters known here are {', '.join(known)}.", param=shown)
    return {name: _value(name, known[name], given) for name, given in arguments.items()}


def _value(name: str, parameter: Parameter, given: Sequence[str]) -> Any:
    if len(given) != 1:
        raise BadRequest(f"`{name}` must be given once at most.", param=name)
    try:
        return parameter.read(given[0])
    except ValueError as error:
        raise BadRequest(f"`{name}` {error}.", param=name) from None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: what it says, its JSON schema, and its reader."""

    what: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]


def _named(what: str, read: Callable[[str], str] = values.text) -> Parameter:
    return Parameter(what, {"type": "string", "minLength": 1, "maxLength": 256}, read)


_DAY = {"type": "string", "examples": ["2026-01-31", "2026-01-31T08:00:00Z"]}
_FORMAT = Parameter("json, or csv", {"type": "string", "enum": ["json", "csv"]}, values.is_csv)
_LIMIT = {"type": "integer", "minimum": 1, "maximum": values.MOST}
_COLUMNS = {
    "caller": _named("calls of this caller"),
    "key": _named("calls with the managed key of this id"),
    "run": _named("calls of this run", values.run),
    "model": _named("calls that asked for this model, or were served by it"),
    "provider": _named("calls that this provider answered"),
    "status": Parameter("calls with this status", {"type": "integer", "minimum": 100, "maximum": 599}, values.status),
    "exactness": Parameter("calls whose cost is known so well", {"enum": list(values.EXACTNESS)}, values.exactness),
    "family": _named("calls of this API family"),
    "route": _named("calls of this route"),
}
_FILTERS = {
    "from": Parameter("calls from this time on", _DAY, values.time),
    "to": Parameter("calls before this time", _DAY, values.time),
    **_COLUMNS,
    "tag": Parameter("calls with this tag, as name=value", {"type": "string", "examples": ["team=blue"]}, values.tag),
}
CALLS: Mapping[str, Parameter] = {
    **_FILTERS,
    "limit": Parameter("how many rows", {**_LIMIT, "default": DEFAULT_ROWS}, values.limit),
    "cursor": Parameter("where to go on: `next` of the answer before", {"type": "string"}, values.row_id),
    "format": _FORMAT,
}
SUMS: Mapping[str, Parameter] = {
    **_FILTERS,
    "by": Parameter("what to sum by, separated by commas", {"type": "string", "default": "day"}, values.by),
    "limit": Parameter("how many groups", {**_LIMIT, "default": DEFAULT_GROUPS}, values.limit),
    "format": _FORMAT,
}
BUDGETS: Mapping[str, Parameter] = {
    "key": _named("the budgets of the managed key of this name, for an admin"),
    "run": _named("the budget of this run as well", values.run),
    "format": _FORMAT,
}
