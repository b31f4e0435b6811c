"""The OpenAPI 3.1 document, made from the URL map and the table of paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask

from lib.access import SCOPES
from lib.wire import PATHS, Path

_ARGUMENT = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_TYPES = {"messages": "array", "tools": "array", "max_tokens": "integer"}
_TEXT = {"text/plain": {"schema": {"type": "string"}}, "text/html": {"schema": {"type": "string"}}}
_JSON: dict[str, Any] = {"application/json": {"schema": {}}}
_SSE = {"text/event-stream": {"schema": {"type": "string"}}}
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_RATE: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 1_000_000_000}
_BODIES: dict[str, dict[str, Any]] = {
    "create_key": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 128},
            "scopes": {**_TEXTS, "minItems": 1, "items": {"enum": sorted(SCOPES)}},
            "models": {**_TEXTS, "minItems": 1},
            "budgets": {**_TEXTS, "examples": [["50/month", "2.50/day"]]},
            "rpm": _RATE,
            "tpm": _RATE,
            "allow_ips": {**_TEXTS, "examples": [["10.0.0.0/8"]]},
            "expires": {"type": "string", "examples": ["2027-01-31", "2027-01-31T12:00:00Z"]},
            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["name"],
        "additionalProperties": False,
    },
    "rotate_key": {
        "type": "object",
        "properties": {"overlap": {"type": "string", "pattern": "^([0-9]+[smhd]|0)$", "examples": ["24h"]}},
        "additionalProperties": False,
    },
}
"""The bodies of operations that are not passed through, by the operation's name."""
ERROR_STATUSES = (400, 401, 402, 403, 404, 413, 415, 429, 502, 503, 504)


def build(app: Flask, guarded: Mapping[str, bool]) -> dict[str, Any]:
    """The document. `guarded` says for each blueprint whether it needs a key."""
    known = {path.route: path for path in PATHS}
    paths: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        blueprint, _, name = rule.endpoint.rpartition(".")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            view = app.view_functions[rule.endpoint]
            operation = _operation(name, (view.__doc__ or "").strip(), known.get(rule.rule), guarded[blueprint])
            operation["tags"] = [blueprint]
            arguments = _ARGUMENT.findall(rule.rule)
            if arguments:
                operation["parameters"] = [_argument(argument) for argument in arguments]
            paths.setdefault(_ARGUMENT.sub(r"{\1}", rule.rule), {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "AI Proxy", "version": "1", "description": "One door to every model."},
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            }
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
    elif name in _BODIES:
        body = _BODIES[name]
        operation["requestBody"] = {"required": "required" in body, "content": {"application/json": {"schema": body}}}
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


def _field(name: str) -> dict[str, Any]:
    if name in ("input", "prompt"):
        return {}  # a string or a list: the vendor's to say
    if name == "file":
        return {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"type": _TYPES.get(name, "string")}


def _argument(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
