"""Lengths of time as OpenAI writes them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.limits.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.001, "1ms"),
        (0.0001, "1ms"),
        (0.12, "120ms"),
        (0.9999, "1s"),
        (1, "1s"),
        (8.64, "8.64s"),
        (59.951, "59.951s"),
        (60, "1m0s"),
        (360, "6m0s"),
        (90.5, "1m30.5s"),
        (3600, "1h0m0s"),
        (86400 + 61, "24h1m1s"),
    ],
)
def test_as_openai_writes_it(seconds, text):
    assert duration(seconds) == text


@given(milliseconds=st.integers(0, 10**8))
def test_nothing_is_lost(milliseconds):
    text = duration(milliseconds / 1000)
    units = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    parts = re.findall(r"([\d.]+)(ms|[hms])", text)
    assert "".join(number + unit for number, unit in parts) == text
    assert round(sum(float(number) * units[unit] for number, unit in parts)) == milliseconds
