"""The bodies of `/admin/keys`, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any

from lib.access import SCOPES
from src.openapi_parts import Part, Parts, body

_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_RATE: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 1_000_000_000}
_NEW_KEY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 128},
        "scopes": {"type": "array", "minItems": 1, "items": {"enum": sorted(SCOPES)}},
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
}
_ROTATION: dict[str, Any] = {
    "type": "object",
    "properties": {"overlap": {"type": "string", "pattern": "^([0-9]+[smhd]|0)$", "examples": ["24h"]}},
    "additionalProperties": False,
}
PARTS: Parts = {
    ("POST", "/admin/keys"): Part(body(_NEW_KEY)),
    ("POST", "/admin/keys/<path:name>/rotate"): Part(body(_ROTATION, required=False)),
}
