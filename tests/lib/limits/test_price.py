"""A price as a value: every count at its rate, exactly, rounded once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.limits import Flat, Price, RateCard, Tier
from lib.limits.price import MOST_NANO, Worst
from lib.wire import Usage

D = Decimal
RATES = RateCard(D(3), D(15), D("0.3"), D("3.75"), D(6))
COUNTS = st.integers(0, 10**9)
RATE = st.decimals(0, 1000, places=6)
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)


@pytest.mark.parametrize(
    ("usage", "nano"),
    [
        (Usage(), 0),
        (Usage(input_tokens=1), 3000),
        (Usage(output_tokens=1), 15_000),
        (Usage(cache_read_tokens=1), 300),
        (Usage(cache_write_tokens=1), 3750),
        (Usage(cache_write_1h_tokens=1), 6000),
        (Usage(1, 1, 1, 1, 1), 28_050),
        (Usage(output_tokens=1, reasoning_tokens=1), 15_000),
        (Usage(input_tokens=10**13), 10**13 * 3000),
        (Usage(input_tokens=2**53), MOST_NANO),  # 27e18: more than any database can hold
    ],
)
def test_each_kind_of_token_has_its_rate(usage, nano):
    assert Price("models.toml", RATES).cost(usage) == nano


@given(st.tuples(RATE, RATE, RATE, RATE, RATE), RATE, RATE, USAGES, st.integers(0, 10**9))
def test_a_cost_is_exact_and_rounded_once(rates, call, second, usage, micros):
    price = Price("models.toml", RateCard(*rates), flat=Flat(call=call, second=second))
    counts = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
    )
    tokens = sum(Fraction(rate) * count for rate, count in zip(rates, counts, strict=True)) / 10**6
    exact = tokens + Fraction(call) + Fraction(second) * Fraction(micros, 10**6)
    assert price.cost(usage, micros / 10**6) == round(exact * 10**9)


@pytest.mark.parametrize(("rate", "nano"), [("0.0005", 0), ("0.0015", 2), ("0.0025", 2), ("0.00251", 3), ("1e-18", 0)])
def test_half_a_nano_goes_to_the_even_one(rate, nano):
    assert Price("models.toml", RateCard(input=D(rate))).cost(Usage(input_tokens=1)) == nano


@pytest.mark.parametrize(
    ("usage", "nano"),
    [
        (Usage(200_000), 200_000 * 3000),
        (Usage(200_001), 200_001 * 6000),
        (Usage(1, 0, 100_000, 50_000, 50_000), 6000 + 100_000 * 300 + 50_000 * 3750 + 50_000 * 6000),
        (Usage(500_000), 500_000 * 6000),
        (Usage(500_001), 500_001 * 9000),
        (Usage(200_000, 10**6), 200_000 * 3000 + 10**6 * 15_000),
    ],
)
def test_the_whole_prompt_decides_the_tier_and_the_tier_every_rate(usage, nano):
    second = RateCard(D(6), D(15), D("0.3"), D("3.75"), D(6))
    price = Price("models.toml", RATES, (Tier(200_000, second), Tier(500_000, RateCard(D(9)))))
    assert price.cost(usage) == nano


@pytest.mark.parametrize(
    ("name", "usage", "nano"),
    [
        ("input_audio", Usage(10, raw={"prompt_tokens_details": {"audio_tokens": 4}}), 6 * 3000 + 4 * 40_000),
        ("input_audio", Usage(10, raw={"input_token_details": {"audio_tokens": 4}}), 6 * 3000 + 4 * 40_000),
        ("input_image", Usage(10, raw={"input_tokens_details": {"image_tokens": 4}}), 6 * 3000 + 4 * 40_000),
        ("output_audio", Usage(0, 9, raw={"completion_tokens_details": {"audio_tokens": 9}}), 9 * 40_000),
        ("output_image", Usage(0, 9, raw={"output_tokens_details": {"image_tokens": 1}}), 8 * 15_000 + 40_000),
        ("output_reasoning", Usage(0, 9, reasoning_tokens=2), 7 * 15_000 + 2 * 40_000),
        ("output_reasoning", Usage(0, 9, reasoning_tokens=100), 9 * 40_000),
        ("input_audio", Usage(10, raw={"prompt_tokens_details": {"audio_tokens": 99}}), 10 * 40_000),
        ("input_audio", Usage(10, raw={"prompt_tokens_details": {"audio_tokens": -1}}), 10 * 3000),
        ("input_audio", Usage(10, raw={"prompt_tokens_details": [1]}), 10 * 3000),
        ("input_audio", Usage(10), 10 * 3000),
    ],
)
def test_some_tokens_have_a_rate_of_their_own(name, usage, nano):
    price = Price("models.toml", RateCard(D(3), D(15), special={name: D(40)}))
    assert price.cost(usage) == nano


def test_no_worst_case_is_more_than_the_books_can_hold():
    assert Price("models.toml", RateCard(D(10**6), D(10**6))).worst(Worst(0, 10**11)) == MOST_NANO


def test_no_count_of_a_vendor_makes_a_cost_negative():
    free = {"input_audio": D(0), "input_image": D(0)}
    raw = {"prompt_tokens_details": {"audio_tokens": 5, "image_tokens": 5}}
    assert Price("models.toml", RateCard(D(3), special=free)).cost(Usage(5, raw=raw)) == 0


@pytest.mark.parametrize(
    ("flat", "raw", "seconds", "nano"),
    [
        (Flat(call=D("0.01")), {}, 9.0, 10**7),
        (Flat(second=D("0.0001")), {}, 1.5, 150_000),
        (Flat(second=D("0.0001")), {}, -1.0, 0),
        (Flat(second=D("0.0001")), {}, float("nan"), 0),
        (Flat(second=D("0.0001")), {}, float("inf"), 0),
        (Flat(audio_second=Fraction("0.36") / 3600), {"seconds": 9}, 100.0, 900_000),
        (Flat(audio_second=Fraction("0.18") / 3600), {"prompt_audio_seconds": 9}, 0.0, 450_000),
        (Flat(audio_second=Fraction(1)), {"seconds": True}, 100.0, 0),
        (Flat(audio_second=Fraction(1)), {"seconds": float("nan")}, 100.0, 0),
        (Flat(audio_second=Fraction(1)), {"seconds": "9"}, 100.0, 0),
        (Flat(search=D("0.01")), {"server_tool_use": {"web_search_requests": 3}}, 0.0, 3 * 10**7),
        (Flat(search=D("0.01")), {"server_tool_use": None}, 0.0, 0),
    ],
)
def test_what_does_not_go_by_tokens(flat, raw, seconds, nano):
    assert Price("models.toml", flat=flat).cost(Usage(5, 5, raw=raw), seconds) == nano


@pytest.mark.parametrize(
    ("price", "free"),
    [
        (Price("free"), True),
        (Price("genai-prices", RateCard(D(0), D(0))), True),
        (Price("genai-prices", RateCard(cache_write_1h=D(1))), False),
        (Price("genai-prices", RateCard(special={"output_image": D(1)})), False),
        (Price("genai-prices", flat=Flat(characters=D(1))), False),
        (Price("genai-prices", tiers=(Tier(5, RATES),)), False),
    ],
)
def test_free_is_what_can_cost_nothing(price, free):
    assert price.is_free is free


@given(USAGES, st.floats(0, 1000), st.booleans())
def test_nothing_within_the_worst_case_costs_more(usage, seconds, hour):
    special = {"input_audio": D(40), "output_image": D(60)}
    rates = RateCard(D(3), D(15), D("0.3"), D("3.75"), D(6), special)
    price = Price("models.toml", rates, (Tier(10_000, RateCard(D(6), D(20))),), Flat(D("0.1"), D("0.01")))
    usage = usage if hour else Usage(usage.input_tokens, usage.output_tokens, 0, usage.cache_write_tokens)
    most = Worst(usage.prompt_tokens, usage.output_tokens, seconds, writes=True, hour=hour, media=True)
    assert price.cost(usage, seconds) <= price.worst(most)
