"""The constraints of a template's parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any


def faults(slots: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """What CloudFormation would say of these values."""
    if unknown := sorted(given.keys() - slots.keys()):
        yield f"Parameters: [{', '.join(unknown)}] do not exist in the template"
    if missing := sorted(name for name, slot in slots.items() if name not in given and "Default" not in slot):
        yield f"Parameters: [{', '.join(missing)}] must have values"
    for name in sorted(given.keys() & slots.keys()):
        if fault := _fault(slots[name], given[name]):
            yield f"Parameter '{name}' {fault}"


def _fault(slot: Mapping[str, Any], value: Any) -> str:
    text = ",".join(value) if isinstance(value, list) else str(value)
    allowed = [str(each) for each in slot.get("AllowedValues", [])]
    if allowed and text not in allowed:
        return f"must be one of AllowedValues: {', '.join(allowed)}"
    items = text.split(",") if slot.get("Type") == "CommaDelimitedList" else [text]
    if not all(re.fullmatch(slot.get("AllowedPattern", "(?s).*"), item.strip()) for item in items):
        return f"failed to satisfy constraint: {slot.get('ConstraintDescription', slot['AllowedPattern'])}"
    if not int(slot.get("MinLength", 0)) <= len(text) <= int(slot.get("MaxLength", 4096)):
        return "has a length that is not allowed"
    if slot.get("Type") == "Number":
        number, least, most = float(text), slot.get("MinValue", "-inf"), slot.get("MaxValue", "inf")
        return "" if float(least) <= number <= float(most) else "is out of bounds"
    return ""
