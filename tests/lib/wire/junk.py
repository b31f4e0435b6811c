"""Strategies for hypothesis: any JSON, and good bodies with one place spoiled."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

WORDS = ["", "text", "type", "tool_use", "user", "assistant", "system", "auto", "base64", "data:,", "{}", "\u2028", "é"]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
)

JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*WORDS, "role", "content", "id", "name", "source", "index"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside `value`."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (key,)
        for rest in places(inner):
            yield (key, *rest)


@st.composite
def spoiled(draw: st.DrawFn, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    """One of `bodies` with one value, anywhere in it, replaced by any JSON."""
    body: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(bodies)))
    *way, last = draw(st.sampled_from(list(places(body))))
    target: Any = body
    for step in way:
        target = target[step]
    target[last] = draw(JSON)
    return body


def cut(draw: Callable[..., Any], stream: bytes) -> list[bytes]:
    """A stream in pieces."""
    at = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return [stream[start:end] for start, end in zip([0, *at], [*at, len(stream)], strict=True)]
