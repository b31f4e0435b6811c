"""A small instance of a JSON schema: what the echo fills a tool's arguments or a structured answer with.

Source: JSON Schema 2020-12, the part that vendors take for tools and
structured outputs: types, `enum`, `const`, `required`, `$ref` inside the same
schema, `anyOf`, `oneOf`, `allOf`, bounds on numbers, lengths and items, common
formats. `pattern`, `not`, `if` and schemas at other addresses are not looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lib.providers.echo.errors import Refusal

_MOST = 100_000  # values and characters: a few nested references can ask for any number
_DEEPEST = 64
_FORMATS = {
    "date": "2025-01-01",
    "date-time": "2025-01-01T00:00:00Z",
    "duration": "PT1S",
    "email": "echo@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def instance(schema: Any) -> Any:
    """The smallest value that satisfies `schema`, with its required properties only.

    Null where null is allowed, the first of an `enum`, empty strings and lists, zero, false: as far as
    the bounds let them be. Raises `Refusal` for a schema that has no end, or a value that is too large.
    """
    return _Maker(schema).make(schema, 0)


class _Maker:
    """Makes one instance and keeps count of its size."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = _MOST

    def make(self, schema: Any, depth: int) -> Any:
        """An instance of `schema`, which is a part of the root."""
        self._spend(1, depth)
        if not isinstance(schema, dict):
            return {}  # `true`, or nothing at all: anything goes
        if "const" in schema or schema.get("enum"):
            return self._named(schema)
        options = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(schema.get("$ref"), str):
            chosen = self._resolve(schema["$ref"])
        elif isinstance(options, list) and options:
            chosen = next(filter(_is_null, options), options[0])
        elif isinstance(schema.get("allOf"), list):
            chosen = self._merged(schema, depth)
        else:
            return self._typed(schema, depth)
        return self.make(chosen, depth + 1)

    def _named(self, schema: dict[str, Any]) -> Any:
        """A value that the schema spells out."""
        values = schema["enum"] if "const" not in schema else [schema["const"]]
        value = values[0] if isinstance(values, list) else None
        self._spend(len(msgspec.json.encode(value)), 0)
        return value

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        makers: Mapping[str, Callable[[dict[str, Any], int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
        }
        kind = _type(schema)
        maker = makers.get(kind)
        if maker:
            return maker(schema, depth)
        return False if kind == "boolean" else None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        self._spend(sum(map(len, names)), depth)
        return {name: self.make(known.get(name), depth + 1) for name in names}

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        least = _count(schema, "minItems")
        self._spend(least, depth)
        first = schema.get("prefixItems")
        items = first[:least] if isinstance(first, list) else []
        items += [schema.get("items")] * (least - len(items))
        return [self.make(item, depth + 1) for item in items]

    def _string(self, schema: dict[str, Any], depth: int) -> str:
        named = schema.get("format")
        text = _FORMATS.get(named, "") if isinstance(named, str) else ""
        least = _count(schema, "minLength")
        self._spend(least, depth)
        return text.ljust(least, "x")

    def _number(self, schema: dict[str, Any], depth: int) -> float:
        del depth
        whole = _type(schema) == "integer"
        value = _least(schema)
        step = _bound(schema, "multipleOf") or (1 if whole else 0)
        if step > 0 and value % step and math.isfinite(value / step):
            value = math.ceil(value / step) * step
        return math.ceil(value) if whole else value

    def _resolve(self, reference: str) -> Any:
        """What a reference inside the schema points at (RFC 6901, JSON Pointer)."""
        found = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None
        if found is None or not reference.startswith("#"):
            raise Refusal("The echo follows references inside the schema only.")
        return found

    def _merged(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """A schema and all that its `allOf` adds, as one."""
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            linked = isinstance(part, dict) and isinstance(part.get("$ref"), str)
            more = self._resolve(part["$ref"]) if linked else part
            self._spend(len(more) if isinstance(more, dict) else 1, depth)
            for key, value in more.items() if isinstance(more, dict) else ():
                merged[key] = _joined(merged.get(key), value)
        return merged

    def _spend(self, size: int, depth: int) -> None:
        self._left -= size
        if self._left < 0 or depth > _DEEPEST:
            raise Refusal("The echo cannot fill in this schema: a value of it would be too large.")


def _joined(mine: Any, other: Any) -> Any:
    if isinstance(mine, dict) and isinstance(other, dict):
        return {**mine, **other}
    if isinstance(mine, list) and isinstance(other, list):
        return [*mine, *(item for item in other if item not in mine)]
    return other


def _type(schema: dict[str, Any]) -> str:
    """The one type to make: null if it may be, the first of several, else what the keywords suggest."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return "null" if "null" in kinds or not kinds else str(kinds[0])
    if isinstance(kinds, str):
        return kinds
    return "array" if "items" in schema or "prefixItems" in schema else "object"


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _count(schema: dict[str, Any], key: str) -> int:
    value = schema.get(key)
    return value if type(value) is int and value > 0 else 0


def _bound(schema: dict[str, Any], key: str) -> float | None:
    value = schema.get(key)
    return value if type(value) in (int, float) else None


def _least(schema: dict[str, Any]) -> float:
    """The number within the bounds that is next to zero."""
    value: float = 0
    low, above = _bound(schema, "minimum"), _bound(schema, "exclusiveMinimum")
    high, below = _bound(schema, "maximum"), _bound(schema, "exclusiveMaximum")
    if low is not None:
        value = max(value, low)
    if above is not None and value <= above:
        value = above + 1 if below is None or above + 1 < below else (above + below) / 2
    if high is not None:
        value = min(value, high)
    if below is not None and value >= below:
        value = below - 1
    return value
