"""Values of every kind with a secret somewhere in them, for hypothesis."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from lib.telemetry.redaction import MASK, MIN_SECRET

# No brackets: cutting such a secret out could put the rest together with a bracket of the mask.
SECRETS = (
    st.text(st.characters(exclude_characters="[]", exclude_categories=["Cs"]), min_size=MIN_SECRET, max_size=40)
    .map(str.strip)
    .filter(lambda text: len(text) >= MIN_SECRET and text not in MASK)
)
WORDS = st.text(max_size=8)


@st.composite
def embedded(draw: st.DrawFn, secret: str) -> object:
    """A value with the secret somewhere in it."""
    text = draw(WORDS) + secret + draw(WORDS)
    leaf = draw(
        st.sampled_from(
            [
                text,
                text.encode(errors="replace"),
                ValueError(text),
                {text: 1},
                (text,),
                {"x": text},
                json.dumps(text),
                repr(text),
            ]
        )
    )
    for _ in range(draw(st.integers(0, 8))):
        leaf = draw(st.sampled_from([[leaf], {"k": leaf, "n": 1}, ("a", leaf), {1: leaf}]))
    return leaf


def texts(value: object) -> list[str]:
    """Every string in a JSON value."""
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [str(value)]
