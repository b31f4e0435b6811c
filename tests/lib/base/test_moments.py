"""Dates and lengths of time as people write them."""

from __future__ import annotations

import pytest

from lib.base.moments import parse_length, parse_moment, show_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01", 0),
        ("2027-01-15", 1_799_971_200_000),
        ("2027-01-15T08:00:00Z", 1_800_000_000_000),
        ("2027-01-15t08:00:00z", 1_800_000_000_000),
        ("2027-01-15 08:00:00Z", 1_800_000_000_000),
        ("2027-01-15T09:30:00+01:30", 1_800_000_000_000),
        ("2027-01-15T08:00:00.5Z", 1_800_000_000_500),
        ("2027-01-15T08:00:00.123456789Z", 1_800_000_000_123),
    ],
)
def test_a_moment(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "2027", "2027-1-1", "2027-01-15T08:00Z", "2027-01-15T08:00:00", "0000-01-01", "2027-01-15\n",
     "2027-01-15T08:00:00.1234567890Z", "2027-01-15T08:00:00+25:00", "2027-01-15T08:00:00+01:99"],
)  # fmt: skip
def test_no_moment(text):
    with pytest.raises(ValueError, match="must be a date such as"):
        parse_moment(text)


def test_what_is_shown():
    assert show_moment(1_800_000_000_999) == "2027-01-15T08:00:00Z"
    assert show_moment(None) is None


@pytest.mark.parametrize(
    ("text", "length"),
    [("0", 0), ("0h", 0), ("30s", 30_000), ("15m", 900_000), ("24h", 86_400_000), ("7d", 604_800_000)],
)
def test_a_length(text, length):
    assert parse_length(text) == length


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "1.5h", "1w", "1h30m", " 1h", "1h\n", "1" * 30 + "h", "٣h"])
def test_no_length(text):
    with pytest.raises(ValueError, match="must be a length of time"):
        parse_length(text)
