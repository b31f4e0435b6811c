"""What the OpenAPI document says of the routes of usage: their parameters, and their answers."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.ledger import BUDGETS, CALLS, COUNTS, SUMS, BudgetRow, CallRow
from src.openapi_parts import Part, Parts, Schema, in_query

_PARAMETERS = {"/usage/calls": CALLS, "/usage": SUMS, "/usage/budgets": BUDGETS}
_ROWS = {"/usage/calls": CallRow, "/usage/budgets": BudgetRow}
_CSV = {"text/csv": {"schema": {"type": "string"}}}
_TEMPLATE = "#/components/schemas/{name}"


def schemas() -> dict[str, Any]:
    """The objects in those answers."""
    _, found = msgspec.json.schema_components(_ROWS.values(), ref_template=_TEMPLATE)
    counts = {name: {"type": "integer"} for name in COUNTS}
    sums = {
        "type": "object",
        "properties": {**counts, "cost_usd": {"type": "string"}},
        "required": [*COUNTS, "cost_usd"],
    }
    return {**found, "Sums": sums}


def parts() -> Parts:
    """The routes of usage."""
    return {("GET", route): Part(None, _answer(route), _parameters(route)) for route in _PARAMETERS}


def _parameters(route: str) -> list[Schema]:
    known = _PARAMETERS[route]
    return [in_query(name, each.schema, description=each.what) for name, each in known.items()]


def _answer(route: str) -> Schema:
    row = _ROWS[route].__name__ if route in _ROWS else "Sums"
    properties: dict[str, Any] = {"data": {"type": "array", "items": _reference(row)}}
    if route == "/usage/calls":
        properties["next"] = {"type": ["string", "null"]}
    if route == "/usage":
        properties |= {"truncated": {"type": "boolean"}, "total": _reference(row)}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    content = {"application/json": {"schema": schema}, **_CSV}
    return {"description": "JSON, or CSV when asked for.", "content": content}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(name=name)}
