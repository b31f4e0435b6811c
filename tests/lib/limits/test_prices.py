"""Where a price comes from: the operator's rows, the provider's own public list, and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from lib.base import ModelsFile, load_models
from lib.limits import Prices, RateCard
from lib.limits.prices import MOST_KNOWN
from lib.wire import Usage

D = Decimal
ROOT = Path(__file__).parents[3]
MODELS = load_models(ROOT / "models.toml")
PROVIDERS = """
[providers.openai]
[providers.my-openai]
base_url = "http://localhost/v1"
[providers.ours]
base_url = "http://localhost/v1"
price_list = "openai"
[providers.none]
base_url = "http://localhost/v1"
price_list = ""
"""
MOMENT = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def prices(tmp_path):
    def prices(text: str = "", clock=lambda: MOMENT) -> Prices:
        file = tmp_path / "models.toml"
        file.write_text(PROVIDERS + text)
        return Prices(load_models(file), clock)

    return prices


# ---- public lists ----


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-5"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("bedrock", "eu.amazon.nova-pro-v1:0"),
        ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0"),
        ("azure", "gpt-4o"),
        ("openrouter", "openai/gpt-4o"),
        ("deepseek", "deepseek-chat"),
        ("mistral", "mistral-large-latest"),
        ("groq", "llama-3.3-70b-versatile"),
        ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("xai", "grok-4"),
        ("gemini", "gemini-2.5-pro"),
    ],
)
def test_the_providers_of_this_project_have_their_lists(provider, model):
    price = Prices(MODELS).price(provider, model)
    assert price
    assert price.source == "genai-prices"
    assert 0 < price.rates.input <= price.rates.output


def test_every_list_that_is_named_exists():
    from genai_prices.data import providers

    named = {row.price_list for row in MODELS.providers.values() if row.price_list}
    assert named <= {each.id for each in providers}


def test_a_region_of_bedrock_has_its_own_price():
    prices = Prices(MODELS)
    there = prices.price("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    anywhere = prices.price("bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert there.rates.input * 10 == anywhere.rates.input * 11


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("chutes", "gpt-4o"),
        ("chutes", "deepseek-ai/DeepSeek-V3"),
        ("local", "gpt-4o"),
        ("my-openai", "gpt-4o"),
        ("none", "gpt-4o"),
        ("openai", "claude-sonnet-4-5"),
        ("openai", "not-a-model"),
        ("openai", "gpt-4o-made-up"),
        ("openai", ""),
        ("openai", "x" * 10_000),
        ("openai", "'; DROP TABLE prices; --"),
        ("bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"),
    ],
)
def test_no_model_gets_the_price_of_another(prices, provider, model):
    assert prices().price(provider, model) is None
    assert Prices(MODELS).price(provider, model) is None


def test_a_provider_may_name_a_list(prices):
    assert prices().price("ours", "gpt-4o") == prices().price("openai", "gpt-4o")


def test_prices_in_units_that_no_usage_counts_are_none():
    assert Prices(MODELS).price("mistral", "mistral-ocr-latest") is None


def test_the_cache_costs_what_the_list_says():
    assert Prices(MODELS).price("anthropic", "claude-3-5-haiku-latest").rates == RateCard(
        D("0.8"), D(4), D("0.08"), D(1), D("1.6")
    )


def test_without_a_price_for_the_cache_it_costs_what_input_does():
    rates = Prices(MODELS).price("groq", "llama-3.3-70b-versatile").rates
    assert {rates.cache_read, rates.cache_write, rates.cache_write_1h} == {rates.input}


def test_speech_and_audio_have_prices():
    prices = Prices(MODELS)
    assert prices.price("openai", "tts-1").flat.characters == 15
    assert prices.price("openai", "whisper-1").cost(Usage(raw={"type": "duration", "seconds": 60})) == 6_000_000


# ---- rows ----


def test_a_row_goes_before_the_list(prices):
    price = prices("[prices.'openai/gpt-4o']\ninput = 0.1\noutput = 0.2").price("openai", "gpt-4o")
    assert price.rates == RateCard(D("0.1"), D("0.2"), D("0.1"), D("0.1"), D("0.1"))
    assert (price.source, price.context_window) == ("models.toml", 128_000)
    assert not any(price.flat)


def test_a_row_can_price_everything(prices):
    row = "input = 1\noutput = 2\ncache_read = 3\ncache_write = 4\ncache_write_1h = 5\ncall = 0.25\nsecond = 0.125"
    price = prices(f"[prices.'none/m']\n{row}").price("none", "m")
    assert price.cost(Usage(1, 1, 1, 1, 1), 2.0) == 15_000 + 500_000_000


def test_an_hour_in_the_cache_costs_what_a_write_does(prices):
    price = prices("[prices.'none/m']\ninput = 1\noutput = 2\ncache_write = 4").price("none", "m")
    assert (price.rates.cache_read, price.rates.cache_write_1h) == (1, 4)


@pytest.mark.parametrize(
    ("names", "winner"),
    [
        (["*", "none/*", "none/gpt*", "none/gpt-4"], "none/gpt-4"),
        (["none/gpt-4", "none/gpt*"], "none/gpt-4"),
        (["none/*", "none/gpt*", "*"], "none/gpt*"),
        (["none/gpt-?", "none/gpt*"], "none/gpt-?"),
        (["*/gpt-4", "none/*"], "*/gpt-4"),
        (["none/GPT-4", "*"], "*"),
    ],
)
def test_the_most_specific_row_wins(prices, names, winner):
    rows = "\n".join(f"[prices.'{name}']\ncall = {at + 1}" for at, name in enumerate(names))
    assert prices(rows).price("none", "gpt-4").flat.call == names.index(winner) + 1


def test_what_is_no_price_is_taken_from_the_most_specific_row_that_says_it(prices):
    price = prices("""
[prices.'none/*']
call = 1
reserve_output = 100
context_window = 1000
[prices.'none/m']
reserve_output = 7
""").price("none", "m")
    assert (price.flat.call, price.reserve_output, price.context_window) == (1, 7, 1000)


def test_a_row_without_a_price_leaves_the_list_alone(prices):
    price = prices("[prices.'openai/*']\nreserve_output = 7").price("openai", "gpt-4o")
    assert (price.source, price.rates.input, price.reserve_output) == ("genai-prices", D("2.5"), 7)


def test_a_row_without_a_price_makes_none(prices):
    assert prices("[prices.'none/*']\nreserve_output = 7").price("none", "m") is None


def test_a_model_can_be_free(prices):
    price = prices("[prices.'openai/*']\nfree = true").price("openai", "gpt-4o")
    assert (price.source, price.is_free, price.cost(Usage(5, 5), 5.0)) == ("free", True, 0)


def test_the_echo_is_free_unless_a_row_says_otherwise(prices):
    assert prices().price("echo", "echo/chunks=3").is_free
    assert prices("[prices.'echo*']\ncall = 1").price("echo", "echo/chunks=3").flat.call == 1
    assert prices("[prices.'echo*']\ncall = 1").price("echo", "echo").flat.call == 1


def test_the_price_that_agents_expect():
    price = Prices(MODELS).price("chutes", "deepseek-ai/DeepSeek-V3-0324")
    assert price.cost(Usage(400_000, 500_000, 100_000)) == 270_000_000


# ---- time and memory ----


def test_prices_are_remembered_for_a_minute(prices):
    now = [MOMENT]
    known = prices(clock=lambda: now[0])
    first = known.price("openai", "gpt-4o")
    assert known.price("openai", "gpt-4o") is first
    now[0] += 60
    assert known.price("openai", "gpt-4o") == first
    assert known.price("openai", "gpt-4o") is not first


def test_a_price_that_changes_on_a_day_changes(prices):
    now = [datetime(2025, 6, 9, 23, 59, 59, tzinfo=UTC).timestamp()]
    known = prices(clock=lambda: now[0])
    assert known.price("openai", "o3").rates.input == 10
    now[0] += 1
    assert known.price("openai", "o3").rates.input == 2


def test_names_that_callers_make_up_are_not_kept_for_good(prices):
    known = prices("[prices.'none/*']\ncall = 1")
    for at in range(MOST_KNOWN * 2):
        known.price("none", f"m{at}")
    assert len(known._known) <= MOST_KNOWN + 1


def test_nothing_is_loaded_before_a_model_is_looked_up():
    code = "import sys, lib.limits; lib.limits.Prices(lib.base.ModelsFile()).price('echo', 'echo')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print('genai_prices' in sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"


def test_nothing_is_fetched(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was connected"))
    assert Prices(MODELS).price("openai", "gpt-4o-mini")


def test_without_providers_nothing_has_a_price():
    assert Prices(ModelsFile()).price("openai", "gpt-4o") is None
