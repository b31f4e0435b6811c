"""Nothing is dropped without a word: each field that the SDKs know changes what the vendor gets, or is refused by name,
or stands in the short list of those that cannot change an answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.same.conftest import Calls
from tests.same.fields import ANTHROPIC, OPENAI, Kind
from tests.same.places import Place
from tests.same.plain import body_of, post
from tests.upstream import Gateway

KINDS = {"openai": OPENAI, "anthropic": ANTHROPIC}
CACHING = {"cache_control"}

# Labels, prices and speed, and what an earlier answer carried beside its text.
ON_ANTHROPIC = {
    "body": {"metadata", "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
             "stream_options"},
    "image_url": {"detail"},
}  # fmt: skip
ON_BEDROCK = {**ON_ANTHROPIC, "body": ON_ANTHROPIC["body"] | {"safety_identifier", "user"}}
UNHEARD: dict[tuple[str, str], dict[str, set[str]]] = {
    ("openai", "anthropic"): ON_ANTHROPIC,
    ("openai", "bedrock"): ON_BEDROCK,
    ("anthropic", "compatible"): {
        "body": CACHING,
        "text": CACHING | {"citations"},
        "image": CACHING,
        "document": CACHING,
        "tool_use": CACHING,
        "tool_result": CACHING,
        "tool": CACHING | {"eager_input_streaming", "type"},
    },
    ("anthropic", "bedrock"): {
        "body": {"metadata"},
        "text": {"citations"},
        "tool": {"eager_input_streaming", "type"},
    },
}
ROWS = [(*pair, kind) for pair in UNHEARD for kind in KINDS[pair[0]]]


@pytest.mark.parametrize(
    ("dialect", "place", "kind"), ROWS, indirect=["place"], ids=[f"{row[0]}-{row[1]}-{row[2].name}" for row in ROWS]
)
def test_every_field_is_heard_or_refused(server: Gateway, calls: Calls, place: Place, dialect: str, kind: Kind) -> None:
    assert set(kind.samples) == kind.fields
    plain = body_of(dialect, place.model("ok", dialect))
    without = _sent(server, calls, dialect, plain | kind.within(kind.base))
    unheard = set()
    for field, sample in kind.samples.items():
        answer = _sent(server, calls, dialect, plain | kind.within({**kind.base, field: sample}))
        if isinstance(answer, str):
            assert field in answer
        elif answer == without:
            unheard.add(field)
    assert unheard == UNHEARD[dialect, place.name].get(kind.name, set())


def _sent(server: Gateway, calls: Calls, dialect: str, body: dict[str, Any]) -> dict[str, Any] | str:
    """What the vendor got, or the words of a refusal, with which nothing may have been sent."""
    before = len(calls.all)
    answer = post(server, dialect, body)
    if answer.status == 400:
        assert len(calls.all) == before
        return answer.error()[0]
    assert answer.status == 200
    assert len(calls.all) == before + 1
    return calls.last.json
