"""The figures of a report: the same object is shown as a page and written as JSON, so both say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from lib.assessment.graded import Row
from lib.assessment.labels import LABELS
from lib.assessment.measure import EXACT, PASS_FAIL, Agreement, GradedProgram, Measured, agreement, steps
from lib.base import money


class Grade(msgspec.Struct, frozen=True):
    """One concept of one program. `steps` is how far the AI is above the human, None when a label is not there."""

    concept: str
    human: str
    ai: str
    steps: int | None
    observations: str
    evidence: str
    reason: str


class Program(msgspec.Struct, frozen=True):
    """One program: its grades, or why there are none."""

    student: str
    grades: tuple[Grade, ...]
    error: str | None
    agent: str
    cached: bool
    cost_usd: str | None
    seconds: float
    usage: dict[str, int] | None

    @property
    def differing(self) -> int:
        """How many concepts the AI and the human see differently."""
        return sum(bool(grade.steps) for grade in self.grades)

    @property
    def off(self) -> int:
        """How far apart they are, over all concepts."""
        return sum(abs(grade.steps or 0) for grade in self.grades)


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many programs there were, and what became of them."""

    programs: int
    graded: int
    failed: int
    not_asked: int
    cached: int
    without_price: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about one measured lesson, apart from the texts of programs, prompt and rubric.

    `higher` and `lower` count the grades where the AI is above or below the human.
    """

    lesson: str
    dataset: str
    experiment: str
    model: str
    params: dict[str, Any]
    sha256: dict[str, str]
    started: datetime
    finished: datetime
    stopped: str | None
    not_asked: tuple[str, ...]
    rehearsed: bool
    cost_usd: str
    usage: dict[str, int]
    counts: Counts
    exact: Agreement
    pass_fail: Agreement
    higher: int
    lower: int
    programs: tuple[Program, ...]


def facts(measured: Measured) -> Facts:
    """The figures of a measured lesson."""
    programs = tuple(_program(program) for program in measured.programs)
    away = [grade.steps or 0 for program in programs for grade in program.grades]
    return Facts(
        lesson=measured.lesson,
        dataset=measured.dataset,
        experiment=measured.experiment,
        model=measured.model,
        params=measured.params,
        sha256=measured.sha256,
        started=measured.started,
        finished=measured.finished,
        stopped=measured.stopped,
        not_asked=measured.not_asked,
        rehearsed=measured.rehearsed,
        cost_usd=money.show(measured.cost),
        usage=_sum(program.usage for program in programs),
        counts=_counts(measured),
        exact=agreement(measured, EXACT),
        pass_fail=agreement(measured, PASS_FAIL),
        higher=sum(number > 0 for number in away),
        lower=sum(number < 0 for number in away),
        programs=programs,
    )


def _program(program: GradedProgram) -> Program:
    return Program(
        program.student,
        tuple(_grade(row, program.actual.get(row.concept, "")) for row in program.predicted if program.error is None),
        program.error,
        program.agent,
        program.cached,
        None if program.cost is None else money.show(program.cost),
        round(program.seconds, 3),
        program.usage,
    )


def _grade(row: Row, human: str) -> Grade:
    known = human in LABELS and row.label in LABELS
    away = steps(human, row.label) if known else None
    return Grade(row.concept, human, row.label, away, row.observations, row.evidence, row.reason)


def _counts(measured: Measured) -> Counts:
    return Counts(
        programs=len(measured.programs),
        graded=len(measured.answered),
        failed=len(measured.failed),
        not_asked=len(measured.not_asked),
        cached=sum(program.cached for program in measured.programs),
        without_price=sum(program.cost is None for program in measured.answered),
    )


def _sum(usages: Iterable[dict[str, int] | None]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for usage in usages:
        total.update(usage or {})
    return dict(total)
