"""The OpenAPI 3.1 document, made from the URL map, the table of paths and the bodies of agents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask
from pydantic.json_schema import models_json_schema

from lib.agents import BODIES, QUERIES
from lib.wire import PATHS, Path
from src import openapi_admin, openapi_assessment, openapi_usage
from src.openapi_parts import NOTHING, Part, Parts, body, in_query

_ARGUMENT = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_TYPES = {"messages": "array", "tools": "array", "max_tokens": "integer"}
_TEXT = {"text/plain": {"schema": {"type": "string"}}, "text/html": {"schema": {"type": "string"}}}
_JSON: dict[str, Any] = {"application/json": {"schema": {}}}
_SSE = {"text/event-stream": {"schema": {"type": "string"}}}
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
ERROR_STATUSES = (400, 401, 402, 403, 404, 413, 415, 422, 429, 502, 503, 504)
_SCHEMAS = "#/components/schemas/{model}"
_RUN = {"name": "X-Run-ID", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 256}}


def build(app: Flask, guarded: Mapping[str, bool]) -> dict[str, Any]:
    """The document. `guarded` says for each blueprint whether it needs a key."""
    known = {path.route: path for path in PATHS}
    agents, schemas = _agents()
    parts = {**agents, **openapi_admin.PARTS, **openapi_usage.parts(), **openapi_assessment.parts()}
    paths: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        blueprint, _, name = rule.endpoint.rpartition(".")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            view = app.view_functions[rule.endpoint]
            operation = _operation(name, (view.__doc__ or "").strip(), known.get(rule.rule), guarded[blueprint])
            operation["tags"] = [blueprint]
            part = parts.get((method, rule.rule), NOTHING)
            if part.body:
                operation["requestBody"] = part.body
            if part.answer:
                operation["responses"]["200"] = part.answer
            if parameters := [*_parameters(rule.rule, known), *part.parameters]:
                operation["parameters"] = parameters
            paths.setdefault(_ARGUMENT.sub(r"{\1}", rule.rule), {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "AI Proxy", "version": "1", "description": "One door to every model."},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas["$defs"] | openapi_usage.schemas() | openapi_assessment.schemas(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _operation(name: str, doc: str, path: Path | None, guarded: bool) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": path.summary if path else doc.partition("\n")[0],
        "responses": _responses(path, guarded),
        "security": [{"bearer": []}, {"x-api-key": []}] if guarded else [],
    }
    if path:
        operation["requestBody"] = {"required": True, "content": _request(path)}
    return operation


def _responses(path: Path | None, guarded: bool) -> dict[str, Any]:
    content = {**_JSON, **(_SSE if path and path.streams else {}), **(_BYTES if path else _TEXT)}
    responses: dict[str, Any] = {"200": {"description": "The answer, in the vendor's own shape.", "content": content}}
    statuses = ERROR_STATUSES if guarded else (429, 503)
    for status in statuses:
        responses[str(status)] = {"description": "See API.md, Errors.", "content": {**_JSON, **_TEXT}}
    return responses


def _request(path: Path) -> dict[str, Any]:
    properties: dict[str, Any] = {name: _field(name) for name in path.required}
    if path.streams:
        properties["stream"] = {"type": "boolean"}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": list(path.required)}
    return {"multipart/form-data" if path.multipart else "application/json": {"schema": schema}}


def _agents() -> tuple[Parts, dict[str, Any]]:
    """The routes of agents, and the schemas that their bodies refer to."""
    found, schemas = models_json_schema([(kind, "validation") for kind in BODIES.values()], ref_template=_SCHEMAS)
    parts = {("POST", route): Part(body(found[kind, "validation"])) for route, kind in BODIES.items()}
    for route, kind in QUERIES.items():
        fields = kind.model_json_schema()["properties"]
        parts["GET", route] = Part(parameters=[in_query(name, each, required=True) for name, each in fields.items()])
    return parts, schemas


def _parameters(route: str, known: Mapping[str, Path]) -> list[dict[str, Any]]:
    """The parameters in a route's path and headers."""
    found = [_argument(argument) for argument in _ARGUMENT.findall(route)]
    return found + ([_RUN] if route in known else [])


def _field(name: str) -> dict[str, Any]:
    if name in ("input", "prompt"):
        return {}  # a string or a list: the vendor's to say
    if name == "file":
        return {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"type": _TYPES.get(name, "string")}


def _argument(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
