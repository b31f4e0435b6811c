"""What the OpenAPI document says of grading: the parameters, the answer, and the body of the report."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.assessment import LABELS, Submitted

_TEMPLATE = "#/components/schemas/{name}"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
_TEXT: dict[str, Any] = {"type": "string"}
_FLAG: dict[str, Any] = {"type": "string", "enum": ["0", "1"]}
_ADJUSTABLE: dict[str, dict[str, Any]] = {
    "model": {**_TEXT, "maxLength": 256},
    "api-key": {**_TEXT, "maxLength": 512},
    "remove-comments": _FLAG,
    "num-responses": {"type": "integer", "minimum": 1, "maximum": 10},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "include-request": _FLAG,
}
GRADING = {
    "type": "object",
    "properties": {
        "code": {**_TEXT, "maxLength": 1_000_000},
        "prompt": {**_TEXT, "maxLength": 200_000},
        "rubric": {**_TEXT, "maxLength": 200_000, "examples": ["Key Concept,No Evidence\nLoops,there is none\n"]},
        "examples": {**_TEXT, "contentMediaType": "application/json"},
        **_ADJUSTABLE,
        "response-type": {**_TEXT, "enum": ["tsv", "json"]},
        "code-feature-extractor": _TEXT,
        "lesson": {**_TEXT, "maxLength": 256},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    },
    "required": ["code", "prompt", "rubric"],
}
_CELLS = ("Key Concept", "Observations", "Evidence", "Label", "Reason")
_GRADED = {
    "type": "object",
    "properties": {
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"enum": list(LABELS)} if name == "Label" else _TEXT for name in _CELLS},
                "required": list(_CELLS),
            },
        },
        "metadata": {"type": "object"},
    },
    "required": ["data", "metadata"],
}
_TOLD = {
    "type": "object",
    "properties": {"fingerprint": _TEXT, "rehearsed": {"type": "boolean"}},
    "required": ["fingerprint", "rehearsed"],
}
_BODIES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "/assessment": (GRADING, _FORMS),
    "/assessment/report": ({"$ref": _TEMPLATE.format(name="Submitted")}, ("application/json",)),
}
_SAMPLES = ("/test/assessment", "/examples", "/cfe")


def schemas() -> dict[str, Any]:
    """The objects in the body of the report."""
    _, found = msgspec.json.schema_components([Submitted], ref_template=_TEMPLATE)
    return found


def request_body(route: str) -> dict[str, Any] | None:
    """The body of a route; None for routes of others."""
    if route not in _BODIES:
        return None
    schema, kinds = _BODIES[route]
    return {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}


def parameters(route: str) -> list[dict[str, Any]]:
    """The parameters in a route's query string. Those of `/assessment` may stand there too."""
    if not route.startswith(_SAMPLES):
        return []
    names = ("model", "api-key") if route.endswith("/cfe") else tuple(_ADJUSTABLE)
    return [{"name": name, "in": "query", "required": False, "schema": _ADJUSTABLE[name]} for name in names]


def answer(route: str) -> dict[str, Any] | None:
    """The content of a route's good answer; None for routes of others."""
    if route == "/assessment/fingerprint":
        return {"application/json": {"schema": _TOLD}}
    if route == "/assessment/report":
        return {"text/html": {"schema": _TEXT}}
    if route == "/assessment" or route.startswith(_SAMPLES):
        return {"application/json": {"schema": _GRADED}}
    return None
