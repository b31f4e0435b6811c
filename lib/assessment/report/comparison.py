"""Two measured experiments side by side, and what became of each program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lib.assessment.measure import EXACT, PASS_FAIL, GradedProgram, Measured, compare
from lib.assessment.report.facts import Facts, facts
from lib.assessment.report.pages import page
from lib.assessment.report.sheets import Card, Sheet, letter, sheets
from lib.assessment.report.words import plain

RIGHT, WRONG, CLOSER, FARTHER, AS_FAR = "now right", "now wrong", "closer", "farther off", "as far off"


@dataclass(frozen=True, slots=True)
class Changed:
    """A concept with another label in the second experiment, and what that means."""

    first: Card
    second: Card
    meaning: str


@dataclass(frozen=True, slots=True)
class ChangedProgram:
    """A program with such concepts. The lines are marked with the evidence of the second experiment."""

    sheet: Sheet
    concepts: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about both experiments."""

    name: str
    first: str
    second: str


def render_comparison(first: Measured, second: Measured) -> str:
    """A page that tells what got better and worse from the first to the second, and whether it is more than chance."""
    found = facts(first), facts(second)
    return page(
        "comparison.html",
        names=names(first, second),
        both=found,
        exact=compare(first, second, EXACT),
        pass_fail=compare(first, second, PASS_FAIL),
        letters={concept: letter(number) for number, concept in enumerate(second.concepts)},
        changed=list(_changed(first, second, found)),
        doubts=list(_doubts(first, second)),
        params=list(_facts(first.params, second.params)),
        hashes=list(_facts(first.sha256, second.sha256)),
    )


def names(first: Measured, second: Measured) -> tuple[str, str]:
    """What to call the two: by their experiments where these differ, else by their models, else by their order."""
    if first.experiment != second.experiment:
        return first.experiment, second.experiment
    if first.model != second.model:
        return first.model, second.model
    return f"{first.experiment} (first)", f"{second.experiment} (second)"


def _changed(first: Measured, second: Measured, found: tuple[Facts, Facts]) -> Iterator[ChangedProgram]:
    before = {sheet.program.student: sheet for sheet in sheets(first, found[0])}
    after = {sheet.program.student: sheet for sheet in sheets(second, found[1])}
    for program in found[1].programs:
        other, sheet = before.get(program.student), after[program.student]
        if other and (concepts := tuple(_concepts(other, sheet))):
            yield ChangedProgram(sheet, concepts)


def _concepts(first: Sheet, second: Sheet) -> Iterator[Changed]:
    before = {card.grade.concept: card for card in (*first.differing, *first.agreeing)}
    for card in (*second.differing, *second.agreeing):
        other = before.get(card.grade.concept)
        if other and other.grade.ai != card.grade.ai and other.grade.steps is not None and card.grade.steps is not None:
            yield Changed(other, card, meaning(other.grade.steps, card.grade.steps))


def meaning(before: int, after: int) -> str:
    """What a change means, from how far off the labels are."""
    if not after:
        return RIGHT
    if not before:
        return WRONG
    if abs(after) == abs(before):
        return AS_FAR
    return CLOSER if abs(after) < abs(before) else FARTHER


def _doubts(first: Measured, second: Measured) -> Iterator[str]:
    """What keeps the comparison from being one of like with like."""
    if first.lesson != second.lesson:
        yield f"The lessons are not the same: {first.lesson} and {second.lesson}."
    left_out = [concept for concept in (*first.concepts, *second.concepts) if not _common(concept, first, second)]
    if left_out:
        yield f"Only one of the two has these concepts, which are left out: {', '.join(left_out)}."
    before, after = _by_student(first), _by_student(second)
    if alone := sorted(before.keys() ^ after.keys()):
        yield f"Only one of the two graded these programs, which are left out: {', '.join(alone)}."
    shared = sorted(before.keys() & after.keys())
    if other := [student for student in shared if before[student].source != after[student].source]:
        yield f"These programs are not the same text in both: {', '.join(other)}."
    if other := [student for student in shared if before[student].actual != after[student].actual]:
        yield f"The human labels of these programs are not the same in both: {', '.join(other)}."


def _common(concept: str, first: Measured, second: Measured) -> bool:
    return concept in first.concepts and concept in second.concepts


def _by_student(measured: Measured) -> dict[str, GradedProgram]:
    return {program.student: program for program in measured.answered}


def _facts(first: Mapping[str, object], second: Mapping[str, object]) -> Iterator[Fact]:
    for name in dict.fromkeys((*first, *second)):
        yield Fact(name, *(plain(given[name]) if name in given else "\u2013" for given in (first, second)))
