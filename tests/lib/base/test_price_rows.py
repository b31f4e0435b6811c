"""Prices in models.toml: exact as written, and every fault is named with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lib.base import ModelsFile, SettingsError, is_pattern, load_models

PROVIDER = '[providers.acme]\nbase_url = "http://localhost/v1"\n'
ROOT = Path(__file__).parents[3]


@pytest.fixture
def read(tmp_path):
    def read(row: str, name: str = "acme/m") -> ModelsFile:
        file = tmp_path / "models.toml"
        file.write_text(f"{PROVIDER}[prices.'{name}']\n{row}\n")
        return load_models(file)

    return read


def test_amounts_are_what_is_written(read):
    row = read("input = 0.1\noutput = 3\ncache_read = 0.010\nsecond = 1e-4").prices["acme/m"]
    assert row.amounts == {
        "input": Decimal("0.1"),
        "output": Decimal(3),
        "cache_read": Decimal("0.010"),
        "second": Decimal("0.0001"),
    }
    assert row.has_price


@pytest.mark.parametrize("row", ["reserve_output = 10", "context_window = 10", "reserve_output = 1\ncontext_window=2"])
def test_a_row_may_leave_the_price_alone(read, row):
    assert not read(row).prices["acme/m"].has_price


@pytest.mark.parametrize("name", ["acme/m", "acme/a/b", "acme/*", "*", "*/m", "a?me/x", "[ab]cme/x", "echo", "echo/*"])
def test_a_name_begins_with_a_provider_or_stands_for_several(read, name):
    assert read("free = true", name).prices[name].free


@pytest.mark.parametrize("name", ["m", "acme", "acme/", "other/m", "/m", "", "Acme/m"])
def test_a_name_that_no_model_can_have_is_a_fault(read, name):
    with pytest.raises(SettingsError, match="does not begin with a provider"):
        read("free = true", name)


FAULTS = [
    ("input = -1\noutput = 1", "input must be a number of USD from 0"),
    ("input = 1\noutput = nan", "output must be a number of USD"),
    ("input = inf\noutput = 1", "input must be a number of USD"),
    ("call = 1e400", "call must be a number of USD"),
    ("second = 1000000.1", "second must be a number of USD"),
    ("call = 0.0000000000000000001", "call must have at most 18 decimals"),
    ("call = 1e-400", "call must have at most 18 decimals"),
    ("input = 1", "input and output go together"),
    ("output = 1", "input and output go together"),
    ("cache_read = 1", "need input and output"),
    ("call = 1\ncache_write_1h = 1", "need input and output"),
    ("free = true\ncall = 1", "what is free has no other price"),
    ("", "says nothing"),
    ("free = false", "says nothing"),
    ("reserve_output = 0", "reserve_output must be a number of tokens"),
    ("reserve_output = 100000001", "reserve_output must be a number of tokens"),
    ("context_window = -1", "context_window must be a number of tokens"),
]


@pytest.mark.parametrize(("row", "fault"), FAULTS)
def test_a_fault_is_named_with_its_place(read, row, fault):
    with pytest.raises(SettingsError, match=rf'models\.toml: prices\."acme/m": .*{fault}'):
        read(row)


@pytest.mark.parametrize(
    "row", ["input = true\noutput = 1", "inptu = 1", "call = [1]", "reserve_output = 1.5", "call = 'x'", "free = 1"]
)
def test_wrong_types_and_unknown_keys_are_refused(read, row):
    with pytest.raises(SettingsError, match=r"models\.toml"):
        read(row)


@pytest.mark.parametrize("number", ["1e99999999999999999999", "9" * 5000])
def test_a_number_beyond_reach_is_refused(read, number):
    with pytest.raises(SettingsError, match=r"models\.toml: a number is out of range"):
        read(f"call = {number}")


@pytest.mark.parametrize("value", ["0", "-5", "999999999"])
def test_the_default_answer_has_bounds(tmp_path, value):
    file = tmp_path / "models.toml"
    file.write_text(f"[defaults]\nreserve_output = {value}\n")
    with pytest.raises(SettingsError, match=r"defaults\.reserve_output: must be a number of tokens"):
        load_models(file)


def test_which_names_are_patterns():
    assert [is_pattern(name) for name in ("a/b", "a/*", "a?", "[a]", "a]")] == [False, True, True, True, False]


def test_the_price_that_agents_expect_is_there():
    row = load_models(ROOT / "models.toml").prices["chutes/deepseek-ai/DeepSeek-V3-0324"]
    assert row.amounts == {"input": Decimal("0.27"), "output": Decimal("0.27")}
