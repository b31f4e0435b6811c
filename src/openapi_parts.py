"""What the OpenAPI document says of an operation beyond what its route tells: each family of routes has a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """`body` is the request's, as OpenAPI has it; `answer` the good answer's, likewise; None where the route tells."""

    body: Schema | None = None
    answer: Schema | None = None
    parameters: Sequence[Schema] = ()


Parts = Mapping[tuple[str, str], Part]
"""Parts by method and route, the route as Flask writes it."""
NOTHING = Part()


def body(schema: Schema, *kinds: str, required: bool = True) -> Schema:
    """A request's body of some media types; JSON when none is named."""
    return {"required": required, "content": {kind: {"schema": schema} for kind in kinds or ("application/json",)}}


def in_query(name: str, schema: Schema, *, required: bool = False, **more: Any) -> Schema:
    """A parameter in a query string."""
    return {"name": name, "in": "query", "required": required, **more, "schema": schema}
