"""What the OpenAPI document says of the routes of usage: their parameters, and the shape of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from lib.ledger import BUDGETS, CALLS, COUNTS, SUMS, BudgetRow, CallRow, Parameter

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


def parameters(route: str) -> list[dict[str, Any]]:
    """The parameters in a route's query string."""
    return [_parameter(name, parameter) for name, parameter in _PARAMETERS.get(route, {}).items()]


def answer(route: str) -> dict[str, Any] | None:
    """The content of a route's good answer; None for routes of others."""
    if route not in _PARAMETERS:
        return None
    row = _ROWS[route].__name__ if route in _ROWS else "Sums"
    properties: dict[str, Any] = {"data": {"type": "array", "items": _reference(row)}}
    if route == "/usage/calls":
        properties["next"] = {"type": ["string", "null"]}
    if route == "/usage":
        properties |= {"truncated": {"type": "boolean"}, "total": _reference(row)}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"application/json": {"schema": schema}, **_CSV}


def _parameter(name: str, parameter: Parameter) -> dict[str, Any]:
    schema: Mapping[str, Any] = parameter.schema
    return {"name": name, "in": "query", "required": False, "description": parameter.what, "schema": schema}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(name=name)}
