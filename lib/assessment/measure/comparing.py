"""Two experiments on the same programs: which concepts got better or worse, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from lib.assessment.measure.agreement import Mode, same
from lib.assessment.measure.outcome import Measured
from lib.assessment.measure.statistics import Accuracy, Pair, accuracy, mcnemar

CHANCE = 0.05  # a difference that chance makes less often than this is taken for real

Verdict = Literal["better", "worse", "no difference shown"]
Both = tuple[Pair, Pair]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """From the first experiment to the second, over the grades that both gave.

    `gained` grades were wrong and are right, `lost` were right and are wrong. `p` is McNemar's exact test of these
    two; the verdict is `better` or `worse` when it is below `CHANCE`. One test is made for each concept, so of twenty
    concepts that did not change one will seem to have.
    """

    first: Accuracy
    second: Accuracy
    gained: int
    lost: int
    p: float
    verdict: Verdict


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """`overall` takes the grades of one program as independent, which they are not quite."""

    first: str
    second: str
    lesson: str
    overall: Change
    by_concept: dict[str, Change]


def compare(first: Measured, second: Measured, mode: Mode) -> Comparison:
    """The change by concept and overall. Concepts that only one of the rubrics has are left out."""
    common = [concept for concept in first.concepts if concept in second.concepts]
    found = {concept: list(_both(first, second, concept)) for concept in common}
    return Comparison(
        first=first.experiment,
        second=second.experiment,
        lesson=first.lesson,
        overall=_change(mode, [both for of_concept in found.values() for both in of_concept]),
        by_concept={concept: _change(mode, of_concept) for concept, of_concept in found.items()},
    )


def _both(first: Measured, second: Measured, concept: str) -> Iterable[Both]:
    """The two pairs of each program that both experiments graded."""
    others = {program.student: program for program in second.answered}
    for program in first.answered:
        other = others.get(program.student)
        if other is None:
            continue
        actual, before, after = program.actual.get(concept), program.label(concept), other.label(concept)
        if actual is not None and before is not None and after is not None:
            yield (actual, before), (actual, after)


def _change(mode: Mode, found: list[Both]) -> Change:
    right = [(same(mode, before), same(mode, after)) for before, after in found]
    gained = sum(after and not before for before, after in right)
    lost = sum(before and not after for before, after in right)
    p = mcnemar(gained, lost)
    return Change(
        first=accuracy(before for before, _ in right),
        second=accuracy(after for _, after in right),
        gained=gained,
        lost=lost,
        p=p,
        verdict="no difference shown" if p >= CHANCE else "better" if gained > lost else "worse",
    )
