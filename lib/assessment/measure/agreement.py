"""How far predicted labels agree with those of humans: by concept and overall, exactly and by pass or fail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from lib.assessment.labels import LABELS, PASSING
from lib.assessment.measure.outcome import GradedProgram, Measured
from lib.assessment.measure.statistics import Accuracy, Matrix, Pair, accuracy, confusion, same_label, same_side

Mode = Literal["exact", "pass-fail"]

EXACT: Mode = "exact"
PASS_FAIL: Mode = "pass-fail"
SIDES = ("Pass", "Fail")


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The agreement of one mode. Matrices have a row for each label of the humans, a column for each predicted one."""

    labels: tuple[str, ...]
    overall: Accuracy
    by_concept: dict[str, Accuracy]
    matrix: Matrix
    matrices: dict[str, Matrix]


def agreement(measured: Measured, mode: Mode) -> Agreement:
    """The agreement of all that was graded."""
    found = {concept: pairs(measured.programs, concept) for concept in measured.concepts}
    everything = [pair for of_concept in found.values() for pair in of_concept]
    return Agreement(
        labels=LABELS if mode == EXACT else SIDES,
        overall=agreed(mode, everything),
        by_concept={concept: agreed(mode, of_concept) for concept, of_concept in found.items()},
        matrix=matrix(mode, everything),
        matrices={concept: matrix(mode, of_concept) for concept, of_concept in found.items()},
    )


def pairs(programs: Iterable[GradedProgram], concept: str) -> list[Pair]:
    """The labels of one concept, of the programs that have grades."""
    found = ((program.actual.get(concept), program.label(concept)) for program in programs if program.error is None)
    return [(actual, predicted) for actual, predicted in found if actual is not None and predicted is not None]


def agreed(mode: Mode, found: Iterable[Pair]) -> Accuracy:
    """How many of these pairs agree."""
    return accuracy(same(mode, pair) for pair in found)


def same(mode: Mode, pair: Pair) -> bool:
    """Whether two labels agree."""
    return same_label(*pair) if mode == EXACT else same_side(*pair)


def matrix(mode: Mode, found: Iterable[Pair]) -> Matrix:
    """The confusion matrix: how often a label of the humans met a predicted one."""
    if mode == EXACT:
        return confusion(found)
    return confusion(((side(actual), side(predicted)) for actual, predicted in found), SIDES)


def side(label: str) -> str:
    """What a label means when only passing counts."""
    return SIDES[0] if label in PASSING else SIDES[1]
