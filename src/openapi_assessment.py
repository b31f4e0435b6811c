"""What the OpenAPI document says of grading: the parameters, the answer, and the body of the report."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.assessment import LABELS, Submitted
from src.openapi_parts import Part, Parts, Schema, body, in_query

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
_REPORT = {"$ref": _TEMPLATE.format(name="Submitted")}
_SAMPLES = (
    *(f"/test/assessment{which}" for which in ("", "/blank", "/examples", "/cfe")),
    "/examples",
    "/cfe",
)


def schemas() -> dict[str, Any]:
    """The objects in the body of the report."""
    _, found = msgspec.json.schema_components([Submitted], ref_template=_TEMPLATE)
    return found


def parts() -> Parts:
    """The routes of grading. The parameters of `/assessment` may stand in its query string too."""
    grades = {"description": "The grades.", "content": {"application/json": {"schema": _GRADED}}}
    told = {"description": "By what it grades.", "content": {"application/json": {"schema": _TOLD}}}
    page = {"description": "A page about them.", "content": {"text/html": {"schema": _TEXT}}}
    samples = {route: Part(None, grades, _parameters(route)) for route in _SAMPLES}
    return {
        ("POST", "/assessment"): Part(body(GRADING, *_FORMS), grades),
        ("GET", "/assessment/fingerprint"): Part(None, told),
        ("POST", "/assessment/report"): Part(body(_REPORT), page),
        **{(method, route): part for method in ("GET", "POST") for route, part in samples.items()},
    }


def _parameters(route: str) -> list[Schema]:
    names = ("model", "api-key") if route.endswith("/cfe") else tuple(_ADJUSTABLE)
    return [in_query(name, _ADJUSTABLE[name]) for name in names]
