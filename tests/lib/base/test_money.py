"""Money: exact both ways, rounded once, and strict about what a person writes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import money

NANOS = st.integers(-(10**18), 10**18)


@given(NANOS)
def test_there_and_back(nano):
    assert money.to_nano(Decimal(money.show(nano))) == nano


@given(NANOS)
def test_what_is_shown_is_the_amount(nano):
    assert Fraction(money.show(nano)) == Fraction(nano, 10**9)
    assert "e" not in money.show(nano).lower()


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=14))
def test_rounds_as_whole_numbers_do(usd):
    assert money.to_nano(usd) == round(Fraction(usd) * 10**9)


@pytest.mark.parametrize(
    ("usd", "nano"),
    [
        ("1", 10**9),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("-0.0000000015", -2),
        ("1e3", 10**12),
    ],
)
def test_half_a_nano_goes_to_the_even_one(usd, nano):
    assert money.to_nano(Decimal(usd)) == nano


@pytest.mark.parametrize("usd", ["NaN", "sNaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_what_is_no_amount_is_refused(usd):
    with pytest.raises(ValueError, match="finite"):
        money.to_nano(Decimal(usd))


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "0.00"), (12_500_000_000, "12.50"), (1, "0.000000001"), (270_000_000, "0.27"), (-5, "-0.000000005"),
        (123_000_000, "0.123"), (10**18, "1000000000.00"), (-1_000_000_000, "-1.00"),
    ],
)  # fmt: skip
def test_is_shown_with_two_decimals_or_as_many_as_it_takes(nano, shown):
    assert money.show(nano) == shown


@pytest.mark.parametrize("text", ["12.50", "0.000000001", "1000000000", "1000000000.000000000", "007"])
def test_a_plain_amount_is_read_exactly(text):
    assert money.parse_usd(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "0", "0.00", "-1", "+1", "1e3", "1E-3", "NaN", "inf", "Infinity", "1,5", "1_000", "$5", ".5", "5.",
        " 5", "5\n", "0.0000000001", "1000000000.000000001", "1000000001", "9" * 5000,
        "\u0665", "\uff15", "0x10", "1;DROP", "1\0",
    ],
)  # fmt: skip
def test_anything_else_is_refused_without_repeating_it(text):
    with pytest.raises(ValueError, match="an amount must be") as refused:
        money.parse_usd(text)
    assert len(text.strip()) < 3 or text not in str(refused.value)
