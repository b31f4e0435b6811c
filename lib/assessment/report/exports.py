"""A measured lesson for other programs: JSON with the figures of the page, CSV with a row for each grade."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from lib.assessment.measure import GradedProgram, Measured, same_side
from lib.assessment.report.facts import Facts, Grade, Program, facts
from lib.base import table

COLUMNS = (
    "lesson",
    "dataset",
    "experiment",
    "model",
    "student",
    "concept",
    "human",
    "ai",
    "same_label",
    "same_side",
    "steps",
    "observations",
    "evidence",
    "reason",
    "error",
    "agent",
    "program_cost_usd",
    "program_seconds",
)


def as_json(measured: Measured) -> bytes:
    """The figures as JSON, with two spaces of indent and a line end. Texts of programs are not in it."""
    text = json.dumps(msgspec.to_builtins(facts(measured)), ensure_ascii=False, indent=2)
    return f"{text}\n".encode(errors="replace")  # a model may write halves of characters


def as_csv(measured: Measured) -> bytes:
    """One row for each program and concept (RFC 4180). A program that failed has its reason in each of its rows."""
    found = facts(measured)
    return table(COLUMNS, _rows(found, measured.programs))


def _rows(found: Facts, programs: tuple[GradedProgram, ...]) -> Iterator[tuple[Any, ...]]:
    start = (found.lesson, found.dataset, found.experiment, found.model)
    for program, given in zip(found.programs, programs, strict=True):
        for grade in program.grades or _absent(found, given):
            yield (*start, program.student, *_cells(grade), *_end(program))


def _absent(found: Facts, program: GradedProgram) -> Iterator[Grade]:
    for concept in found.exact.by_concept:
        yield Grade(concept, program.actual.get(concept, ""), "", None, "", "", "")


def _cells(grade: Grade) -> tuple[Any, ...]:
    known = grade.steps is not None
    return (
        grade.concept,
        grade.human,
        grade.ai,
        grade.steps == 0 if known else None,
        same_side(grade.human, grade.ai) if known else None,
        grade.steps,
        grade.observations,
        grade.evidence,
        grade.reason,
    )


def _end(program: Program) -> tuple[Any, ...]:
    return program.error, program.agent, program.cost_usd, program.seconds
