"""Usage objects as the vendors document them, and what happens to junk."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.wire.paths import Shape
from lib.wire.usage import Usage, anthropic_usage, find_usage, openai_usage, to_anthropic, to_openai

Counts = tuple[int, int, int, int, int, int]

CHAT = {
    "prompt_tokens": 2006,
    "completion_tokens": 300,
    "total_tokens": 2306,
    "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0, "cache_write_tokens": 50},
    "completion_tokens_details": {"reasoning_tokens": 192, "accepted_prediction_tokens": 0},
}
RESPONSE = {
    "input_tokens": 328,
    "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 28},
    "output_tokens": 52,
    "output_tokens_details": {"reasoning_tokens": 12},
    "total_tokens": 380,
}
MESSAGE = {
    "input_tokens": 21,
    "cache_creation_input_tokens": 556,
    "cache_read_input_tokens": 1800,
    "cache_creation": {"ephemeral_5m_input_tokens": 456, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 503,
    "output_tokens_details": {"thinking_tokens": 400},
    "service_tier": "standard",
}


def counts(usage: Usage) -> Counts:
    return (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (CHAT, (36, 1920, 50, 0, 300, 192)),
        (RESPONSE, (200, 100, 28, 0, 52, 12)),
        ({"prompt_tokens": 8, "total_tokens": 8}, (8, 0, 0, 0, 0, 0)),
        (
            {"prompt_tokens": 30, "prompt_cache_hit_tokens": 20, "prompt_cache_miss_tokens": 9, "completion_tokens": 4},
            (10, 20, 0, 0, 4, 0),
        ),
        (
            {"input_tokens": 50, "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens": 90},
            (50, 0, 0, 0, 90, 0),
        ),
        ({"type": "tokens", "input_tokens": 14, "output_tokens": 101, "total_tokens": 115}, (14, 0, 0, 0, 101, 0)),
        ({"type": "duration", "seconds": 12}, (0, 0, 0, 0, 0, 0)),
        (
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            (32, 0, 0, 0, 103, 94),
        ),
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}, (0, 5, 0, 0, 0, 0)),
        ({"prompt_tokens": -5, "completion_tokens": "7", "prompt_tokens_details": None}, (0, 0, 0, 0, 0, 0)),
        ({"prompt_tokens": True, "completion_tokens": 1.5, "completion_tokens_details": []}, (0, 0, 0, 0, 0, 0)),
        (None, (0, 0, 0, 0, 0, 0)),
        ([], (0, 0, 0, 0, 0, 0)),
    ],
)
def test_openai_usage(raw: Any, expected: Counts) -> None:
    usage = openai_usage(raw)
    assert counts(usage) == expected
    assert usage.raw == (raw if isinstance(raw, dict) else {})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (MESSAGE, (21, 1800, 456, 100, 503, 400)),
        ({"input_tokens": 25, "output_tokens": 1}, (25, 0, 0, 0, 1, 0)),
        ({"cache_creation_input_tokens": 10, "cache_read_input_tokens": None}, (0, 0, 10, 0, 0, 0)),
        (
            {"cache_creation_input_tokens": 10, "cache_creation": {"ephemeral_1h_input_tokens": 4}},
            (0, 0, 6, 4, 0, 0),
        ),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 3}}, (0, 0, 3, 0, 0, 0)),
        ({"input_tokens": -1, "output_tokens": {}, "cache_creation": 4}, (0, 0, 0, 0, 0, 0)),
        ("junk", (0, 0, 0, 0, 0, 0)),
    ],
)
def test_anthropic_usage(raw: Any, expected: Counts) -> None:
    assert counts(anthropic_usage(raw)) == expected


def test_to_openai_counts_the_cache_as_part_of_the_prompt() -> None:
    assert to_openai(anthropic_usage(MESSAGE)) == {
        "prompt_tokens": 2377,
        "completion_tokens": 503,
        "total_tokens": 2880,
        "prompt_tokens_details": {"cached_tokens": 1800, "cache_write_tokens": 556},
        "completion_tokens_details": {"reasoning_tokens": 400},
    }


def test_to_anthropic_takes_the_cache_out_of_the_input() -> None:
    assert to_anthropic(openai_usage(CHAT)) == {
        "input_tokens": 36,
        "cache_creation_input_tokens": 50,
        "cache_read_input_tokens": 1920,
        "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 300,
        "output_tokens_details": {"thinking_tokens": 192},
    }


@given(st.tuples(*[st.integers(0, 10**9)] * 5))
def test_no_token_is_lost_on_the_way_to_the_other_dialect_and_back(numbers: tuple[int, ...]) -> None:
    plain, read, write, hour, output = numbers
    usage = Usage(plain, output, read, write, hour)
    assert counts(anthropic_usage(to_anthropic(usage))) == counts(usage)
    assert counts(openai_usage(to_openai(usage))) == (plain, read, write + hour, 0, output, 0)


@pytest.mark.parametrize(
    ("shape", "body", "expected"),
    [
        (Shape.CHAT, {"id": "x", "choices": [{"usage": 1}], "usage": CHAT}, (36, 1920, 50, 0, 300, 192)),
        (Shape.RESPONSE, {"output": [], "usage": RESPONSE}, (200, 100, 28, 0, 52, 12)),
        (Shape.MESSAGE, {"type": "message", "usage": MESSAGE}, (21, 1800, 456, 100, 503, 400)),
        (Shape.EMBEDDING, {"data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}, (8, 0, 0, 0, 0, 0)),
        (Shape.CHAT, {"usage": None}, None),
        (Shape.CHAT, {"usage": {}}, None),
        (Shape.CHAT, {"usage": "much"}, None),
        (Shape.CHAT, {"choices": []}, None),
        (Shape.CHAT, [CHAT], None),
        (Shape.TOKEN_COUNT, {"input_tokens": 3, "usage": CHAT}, None),
        (Shape.SPEECH, {"usage": CHAT}, None),
    ],
)
def test_find_usage_in_a_whole_body(shape: Shape, body: Any, expected: Counts | None) -> None:
    found = find_usage(shape, msgspec.json.encode(body))
    assert (found and counts(found)) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"usage":{"a":"\xff"}}', b'{"usage":' + b"[" * 100_000])
def test_find_usage_is_total(body: bytes) -> None:
    assert find_usage(Shape.CHAT, body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted({*CHAT, *MESSAGE, "cached_tokens"})), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(JSON)
def test_any_json_is_read_without_a_negative_count(raw: Any) -> None:
    for usage in (openai_usage(raw), anthropic_usage(raw)):
        assert min(counts(usage)) >= 0


@settings(max_examples=50)
@given(st.sampled_from(list(Shape)), st.binary(max_size=40))
def test_any_bytes_are_searched(shape: Shape, body: bytes) -> None:
    assert find_usage(shape, body) is None


@pytest.mark.parametrize(("count", "expected"), [(2**53, 2**53), (2**53 + 1, 0), (10**400, 0)])
def test_a_count_that_no_counter_can_hold_is_junk(count: int, expected: int) -> None:
    assert openai_usage({"prompt_tokens": count}).input_tokens == expected
    assert anthropic_usage({"output_tokens": count}).output_tokens == expected
