"""Managed keys as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.cli.text_table import aligned

COLUMNS = ("name", "state", "scopes", "models", "budgets", "rpm", "tpm", "expires")


def shown_key(fields: Mapping[str, Any]) -> str:
    """One key: a line for each field. A key that was just made comes first, and apart."""
    rest = {name: _cell(value) for name, value in fields.items() if name != "key"}
    lines = list(aligned([(name, value) for name, value in rest.items() if value]))
    if "key" in fields:
        lines = [fields["key"], "", "Keep it now: it cannot be shown again.", "", *lines]
    return "\n".join(lines)


def shown_keys(keys: Sequence[Mapping[str, Any]]) -> str:
    """Many keys: a line for each."""
    if not keys:
        return "There are no keys yet: bin/keys create NAME"
    rows = [COLUMNS, *(tuple(_cell(key[column]) or "-" for column in COLUMNS) for key in keys)]
    return "\n".join(aligned(rows))


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={text}" for name, text in value.items())
    return "" if value is None else str(value)
