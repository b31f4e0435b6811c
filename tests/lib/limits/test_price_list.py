"""Our cost is that of genai-prices to the last digit, for every model whose units we count."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, localcontext

import pytest
from genai_prices import calc_price
from genai_prices import types as genai
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base import money
from lib.limits.price_list import listed
from lib.wire import Usage

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LISTS = ("openai", "anthropic", "aws", "azure", "google", "x-ai", "mistral", "deepseek", "openrouter", "groq")
LISTS += ("together", "fireworks")


def callable_name(price_list: genai.Provider, model: genai.ModelInfo) -> str | None:
    """A name by which the list finds a model: its id is not always one."""
    texts = re.findall(r"(?:equals|starts_with|contains)='([^']+)'", str(model.match))
    return next((name for name in (model.id, *texts) if price_list.find_model(name) is model), None)


MODELS = [(each.id, callable_name(each, model)) for each in providers if each.id in LISTS for model in each.models]
PRICED = {(name, model): listed(name, model, NOW) for name, model in MODELS if model}
COUNTED = [key for key, price in PRICED.items() if price]
TIERED = [key for key in COUNTED if PRICED[key].tiers]
SPECIAL = [key for key in COUNTED if PRICED[key].rates.special]
COUNTS = st.one_of(st.integers(0, 300), st.integers(0, 400_000), st.sampled_from([0, 199_999, 200_000, 200_001]))


def theirs(price_list: str, model: str, usage: genai.Usage) -> int:
    with localcontext(prec=100):
        total: Decimal = calc_price(usage, model, provider_id=price_list, genai_request_timestamp=NOW).total_price
        return money.to_nano(total)


@st.composite
def usages(draw):
    """A usage of ours, and the same as genai-prices counts it: the cache inside of the input."""
    ours = Usage(*(draw(COUNTS) for _ in range(5)))
    written = ours.cache_write_tokens + ours.cache_write_1h_tokens
    same = genai.Usage(
        input_tokens=ours.prompt_tokens,
        output_tokens=ours.output_tokens,
        cache_read_tokens=ours.cache_read_tokens,
        cache_write_tokens=written,
        cache_write_1h_tokens=ours.cache_write_1h_tokens,
    )
    return ours, same


@pytest.mark.parametrize("models", [COUNTED, TIERED, SPECIAL], ids=["any", "tiered", "special"])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_costs_what_the_list_says(models, data):
    price_list, model = data.draw(st.sampled_from(models))
    ours, same = data.draw(usages())
    assert PRICED[price_list, model].cost(ours) == theirs(price_list, model, same)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_sounds_and_pictures_cost_what_the_list_says(data):
    price_list, model = data.draw(st.sampled_from(SPECIAL))
    names = PRICED[price_list, model].rates.special.keys() - {"output_reasoning"}
    count = {name: data.draw(COUNTS) for name in names}
    plain = {side: data.draw(COUNTS) + sum(n for name, n in count.items() if name.startswith(side)) for side in SIDES}
    details = {
        side: {f"{name.partition('_')[2]}_tokens": n for name, n in count.items() if name.startswith(side)}
        for side in SIDES
    }
    raw = {"prompt_tokens_details": details["input"], "completion_tokens_details": details["output"]}
    ours = Usage(plain["input"], plain["output"], raw=raw)
    same = genai.Usage(
        input_tokens=plain["input"],
        output_tokens=plain["output"],
        **{f"{name}_tokens": n for name, n in count.items()},
    )
    assert PRICED[price_list, model].cost(ours) == theirs(price_list, model, same)


SIDES = ("input", "output")


@given(st.integers(1, 10**6))
def test_seconds_of_audio_cost_what_the_list_says(seconds):
    same = genai.Usage(audio_seconds=seconds, input_audio_seconds=seconds)
    assert listed("openai", "whisper-1", NOW).cost(Usage(raw={"seconds": seconds})) == theirs(
        "openai", "whisper-1", same
    )


def test_nearly_every_model_is_counted():
    assert len(MODELS) > 1000
    assert len(MODELS) - len(COUNTED) < 20
    assert len(TIERED) > 50
    assert len(SPECIAL) > 20


def test_a_price_by_the_hour_of_the_day_is_the_one_of_the_hour():
    night, noon = (listed("deepseek", "deepseek-chat", NOW.replace(year=2025, month=6, hour=hour)) for hour in (20, 12))
    assert night.rates.input < noon.rates.input
