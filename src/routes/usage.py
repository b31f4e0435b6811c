"""What calls cost: their rows, their sums, and what is left of the caller's own budgets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from lib.access import ADMIN
from lib.base import Budget, table
from lib.base.errors import Forbidden
from lib.ledger import COUNTS, BudgetRow, CallRow, Reports, read_budgets, read_calls, read_sums, remaining
from lib.limits import budget_lines
from lib.stores import Selection
from src.context import caller, services

blueprint = Blueprint("usage", __name__)
OWN_ONLY = "This key may see its own usage only."


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
    """What is left of the caller's own budgets, and of a run's; for an admin, of those of any managed key."""
    query = read_budgets(request.args.to_dict(flat=False))
    owner, budgets = _holder(query.key)
    rows = _remaining(owner, budgets)
    if query.run is not None:
        rows.append(remaining(services().gateway.meter.run(owner, query.run), run=query.run))
    if not _as_csv(query.csv):
        return _json({"data": rows})
    return _csv("budgets", BudgetRow.__struct_fields__, map(msgspec.structs.astuple, rows))


def _reports() -> Reports:
    return Reports(services().database)


def _allowed(which: Selection) -> Selection:
    """The same rows, as far as they are the caller's. Raises `Forbidden` when others' are asked for by name.

    A key that is shared by runs shows the rows of a run to those who know its name: no agent learns another's.
    """
    who = caller()
    if ADMIN in who.scopes:
        return which
    if which.caller not in (None, who.name):
        raise Forbidden(OWN_ONLY, param="caller")
    if which.key not in (None, who.key):
        raise Forbidden(OWN_ONLY, param="key")
    if who.run_required and which.run is None:
        raise Forbidden("This key is shared by runs: `run` must name one.", param="run")
    if who.key is not None:
        return replace(which, key=who.key)
    return replace(which, caller=who.name, keyless=True)  # a managed key may have the same name


def _holder(key: str | None) -> tuple[str, tuple[Budget, ...]]:
    """Under which name the budgets of a managed key are kept, and which they are; the caller's own when None.

    Raises `Forbidden` when it is somebody else's, `NotFound`.
    """
    who = caller()
    if key is None or (who.key is not None and key == who.name):
        return who.owner, who.budgets
    if ADMIN not in who.scopes:
        raise Forbidden(OWN_ONLY, param="key")
    held = services().managed_keys.show(key)
    return held.owner, held.spec.budgets


def _remaining(owner: str, budgets: tuple[Budget, ...]) -> list[BudgetRow]:
    if not budgets:
        return []
    books = services().books
    now = books.clock()
    standings = books.standings(budget_lines(owner, budgets, now))
    return [remaining(*pair) for pair in zip(standings, (budget.end(now) for budget in budgets), strict=True)]


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
