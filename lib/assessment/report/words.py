"""Figures and foreign text in the words of a report."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from lib.assessment.labels import LABELS
from lib.assessment.measure import same_side, steps

SURE = 0.05  # a change that chance alone would make more rarely than this is more than chance
_UNSEEN = re.compile(  # controls, marks that turn the direction of writing, halves of characters
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def seen(value: Any) -> Any:
    """Text with the characters that would hide or reorder it written out. Anything that is no text as it is."""
    if type(value) is not str:
        return value
    return _UNSEEN.sub(lambda found: f"\u2039U+{ord(found[0]):04X}\u203a", value)


def plain(value: Any) -> str:
    """A parameter: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def percent(share: float | None) -> str:
    """A share in whole percent. Only all is 100%, only none is 0%."""
    if share is None:
        return "no grades"
    if 0 < share < 1:
        return f"{min(99, max(1, round(share * 100)))}%"
    return f"{share:.0%}"


def points(change: float) -> str:
    """A difference of shares, such as `+8 points`."""
    number = round(change * 100)
    sign = "+" if number > 0 else "\u2212" if number < 0 else "\u00b1"
    return f"{sign}{abs(number)} {'point' if abs(number) == 1 else 'points'}"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 program`, `2 programs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def usd(amount: str) -> str:
    """An amount of USD for a person: cents, or four places when it is less than ten cents."""
    value = Decimal(amount)
    return f"${value:,.{4 if 0 < value < Decimal('0.1') else 2}f}"


def quoted(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether backticks are around it. Without pairs of them it is one piece."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [(text, False)]
    return [(part, number % 2 == 1) for number, part in enumerate(parts) if part]


def duration(seconds: float) -> str:
    """A time for a person: `4.2 s`, `3 min 12 s`, `1 h 4 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def day(moment: datetime) -> str:
    """A date and time, such as `3 May 2025, 14:05 UTC`."""
    return f"{moment.day} {moment:%B %Y, %H:%M %Z}".rstrip()


def lasted(started: datetime, finished: datetime) -> str:
    """How long it was from one to the other."""
    return duration(max(timedelta(), finished - started).total_seconds())


def short(label: str) -> str:
    """A label without the word that all of them end with."""
    return label.removesuffix(" Evidence")


def distance(human: str, ai: str) -> str:
    """How far the AI is from the human, in words."""
    away = steps(human, ai)
    if not away:
        return "same label"
    words = f"{count(abs(away), 'step')} {'higher' if away > 0 else 'lower'}"
    return words if same_side(human, ai) else f"{words}, across the line between pass and fail"


def level(label: str) -> int:
    """How high a label is: 3 the best, 0 the lowest."""
    return len(LABELS) - 1 - LABELS.index(label)


def chance(p: float) -> str:
    """Whether a change is more than chance, by the p-value of McNemar's test."""
    figure = "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.1 else f"p = {p:.3f}"
    figure = figure.replace(" ", "\u00a0")
    if p < SURE:
        return f"more than chance ({figure})"
    return f"may be chance ({figure})"
