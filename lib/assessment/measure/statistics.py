"""Counting how often an AI gives the labels of humans, and what chance alone would explain. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt

import msgspec

from lib.assessment.labels import LABELS, PASSING

Z = 1.959963984540054  # of the normal distribution, for an interval of 95 %

Pair = tuple[str, str]  # a human's label and the AI's, of the same program and concept
Matrix = tuple[tuple[int, ...], ...]  # rows are the human's labels, columns the AI's


class Accuracy(msgspec.Struct, frozen=True):
    """How many of `total` are right, their share, and its interval of 95 % (Wilson). No shares without a total."""

    right: int
    total: int
    share: float | None
    low: float | None
    high: float | None


def accuracy(outcomes: Iterable[bool]) -> Accuracy:
    """The share of what is right."""
    counts = Counter(outcomes)
    right, total = counts[True], counts.total()
    if not total:
        return Accuracy(0, 0, None, None, None)
    return Accuracy(right, total, right / total, *wilson(right, total))


def wilson(right: int, total: int) -> tuple[float, float]:
    """The interval that holds the true share 95 times of 100 (E. B. Wilson, 1927). `total` is at least 1."""
    share, square = right / total, Z * Z / total
    middle = share + square / 2
    reach = Z * sqrt(share * (1 - share) / total + square / (4 * total))
    low = 0.0 if right == 0 else (middle - reach) / (1 + square)
    return low, 1.0 if right == total else (middle + reach) / (1 + square)


def same_label(human: str, ai: str) -> bool:
    """Whether both are the same label."""
    return human == ai


def same_side(human: str, ai: str) -> bool:
    """Whether both pass or both fail."""
    return (human in PASSING) == (ai in PASSING)


def steps(human: str, ai: str) -> int:
    """How many labels the AI is above the human; below 0 when it is stricter."""
    return LABELS.index(human) - LABELS.index(ai)


def confusion(pairs: Iterable[Pair], labels: Sequence[str] = LABELS) -> Matrix:
    """How often each label of a human met each label of the AI, in the order of `labels`."""
    counts = Counter(pairs)
    return tuple(tuple(counts[human, ai] for ai in labels) for human in labels)


def mcnemar(gained: int, lost: int) -> float:
    """How likely at least this difference is by chance alone (McNemar's exact test, two-sided).

    `gained` grades are right only in the second of two experiments, `lost` ones only in the first.
    """
    changed, ways, total = gained + lost, 1, 0
    for count in range(min(gained, lost) + 1):
        total += ways
        ways = ways * (changed - count) // (count + 1)
    return min(1.0, 2 * total / (1 << changed))
