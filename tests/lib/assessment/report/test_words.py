"""Figures in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lib.assessment import CONVINCING, EXTENSIVE, LIMITED, NO
from lib.assessment.report import words


@pytest.mark.parametrize(("share", "text"), [
    (None, "no grades"), (0.0, "0%"), (1.0, "100%"), (0.0004, "1%"), (0.9996, "99%"), (0.734, "73%"), (0.736, "74%"),
])  # fmt: skip
def test_percent(share: float | None, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(("change", "text"), [
    (0.18, "+18 points"), (-0.01, "\u22121 point"), (0.0, "\u00b10 points"), (-0.001, "\u00b10 points"),
])  # fmt: skip
def test_points(change: float, text: str) -> None:
    assert words.points(change) == text


@pytest.mark.parametrize(("amount", "text"), [
    ("0.00", "$0.00"), ("0.000123456", "$0.0001"), ("0.09", "$0.0900"), ("0.1", "$0.10"), ("1234.567", "$1,234.57"),
])  # fmt: skip
def test_usd(amount: str, text: str) -> None:
    assert words.usd(amount) == text


@pytest.mark.parametrize(("seconds", "text"), [
    (0.04, "0.0 s"), (4.21, "4.2 s"), (83.4, "1 min 23 s"), (3840.0, "1 h 4 min"),
])  # fmt: skip
def test_duration(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_day() -> None:
    assert words.day(datetime(2025, 5, 3, 14, 5, tzinfo=UTC)) == "3 May 2025, 14:05 UTC"


@pytest.mark.parametrize(("human", "ai", "text"), [
    (LIMITED, LIMITED, "same label"),
    (LIMITED, NO, "1 step lower"),
    (CONVINCING, EXTENSIVE, "1 step higher"),
    (NO, EXTENSIVE, "3 steps higher, across the line between pass and fail"),
])  # fmt: skip
def test_distance(human: str, ai: str, text: str) -> None:
    assert words.distance(human, ai) == text


@pytest.mark.parametrize(("p", "text"), [
    (0.0001, "more than chance (p < 0.001)"), (0.0391, "more than chance (p = 0.039)"),
    (0.05, "may be chance (p = 0.050)"), (1.0, "may be chance (p = 1.00)"),
])  # fmt: skip
def test_chance(p: float, text: str) -> None:
    assert words.chance(p).replace("\u00a0", " ") == text


@pytest.mark.parametrize(("text", "parts"), [
    ("plain", [("plain", False)]), ("a `b` c", [("a ", False), ("b", True), (" c", False)]),
    ("a `b", [("a `b", False)]), ("", []), ("`b`", [("b", True)]),
])  # fmt: skip
def test_quoted(text: str, parts: list[tuple[str, bool]]) -> None:
    assert words.quoted(text) == parts


def test_hidden_characters_are_written_out() -> None:
    assert words.seen("a\u202eb\0\ud800\n\tc") == "a\u2039U+202E\u203ab\u2039U+0000\u203a\u2039U+D800\u203a\n\tc"
    assert words.seen(7) == 7
