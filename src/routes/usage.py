"""What calls cost: their rows, their sums, and what is left of the caller's own budgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from lib.access import ADMIN, Caller
from lib.base import table
from lib.base.errors import Forbidden
from lib.ledger import COUNTS, BudgetRow, CallRow, Reports, read_budgets, read_calls, read_sums, remaining
from lib.limits import budget_lines
from lib.stores import Selection
from src.context import caller, services

blueprint = Blueprint("usage", __name__)


@blueprint.get("/usage/calls")
def usage_calls() -> Response:
    """The calls of the ledger, newest first: the caller's own, all of them for an admin."""
    query = read_calls(request.args.to_dict(flat=False))
    page = _reports().page(_allowed(query.which), query.limit)
    if not _as_csv(query.csv):
        return _json({"data": page.rows, "next": page.next})
    response = _csv("calls", CallRow.__struct_fields__, map(msgspec.structs.astuple, page.rows))
    if page.next is not None:
        response.headers["X-Next-Cursor"] = page.next
    return response


@blueprint.get("/usage")
def usage_sums() -> Response:
    """Sums of calls by day, hour, model, caller, run, tag and more: the caller's own, all of them for an admin."""
    query = read_sums(request.args.to_dict(flat=False))
    sums = _reports().sums(_allowed(query.which), query.grouping, query.limit)
    if not _as_csv(query.csv):
        return _json({"data": sums.groups, "truncated": sums.truncated, "total": sums.total})
    columns = (*query.grouping.columns(), *COUNTS, "cost_usd")
    response = _csv("usage", columns, (group.values() for group in sums.groups))
    response.headers["X-Truncated"] = "true" if sums.truncated else "false"
    return response


@blueprint.get("/usage/budgets")
def usage_budgets() -> Response:
    """What is left of the caller's own budgets, and of a run's."""
    run, as_csv = read_budgets(request.args.to_dict(flat=False))
    rows = _budgets(caller())
    if run is not None:
        rows.append(remaining(services().gateway.meter.run(caller().owner, run), run=run))
    if not _as_csv(as_csv):
        return _json({"data": rows})
    return _csv("budgets", BudgetRow.__struct_fields__, map(msgspec.structs.astuple, rows))


def _reports() -> Reports:
    return Reports(services().database)


def _allowed(which: Selection) -> Selection:
    """The same rows, as far as they are the caller's. Raises `Forbidden` when others' are asked for by name."""
    who = caller()
    if ADMIN in who.scopes:
        return which
    if which.caller not in (None, who.name):
        raise Forbidden("This key may see its own calls only.", param="caller")
    if which.key not in (None, who.key):
        raise Forbidden("This key may see its own calls only.", param="key")
    if who.key is not None:
        return replace(which, key=who.key)
    return replace(which, caller=who.name, keyless=True)  # a managed key may have the same name


def _budgets(who: Caller) -> list[BudgetRow]:
    if not who.budgets:
        return []
    books = services().books
    now = books.clock()
    standings = books.standings(budget_lines(who.owner, who.budgets, now))
    return [remaining(*pair) for pair in zip(standings, (budget.end(now) for budget in who.budgets), strict=True)]


def _as_csv(asked: bool | None) -> bool:
    if asked is not None:
        return asked
    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"


def _json(value: Any) -> Response:
    return _private(Response(msgspec.json.encode(value), content_type="application/json"))


def _csv(name: str, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> Response:
    response = Response(table(columns, rows), content_type="text/csv; charset=utf-8; header=present")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    return response
