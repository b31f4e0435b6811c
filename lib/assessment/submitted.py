"""Graded programs with the labels of humans, as a client sends them for a report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lib.assessment.graded import Row
from lib.assessment.labels import LABELS
from lib.assessment.measure import GradedProgram, Measured
from lib.assessment.rubric import CONCEPT, Rubric
from lib.base.errors import BadRequest, BodyTooLarge

MOST_BYTES = 8 * 1024 * 1024  # of a set; this and the next three keep a page within some ten seconds of work
MOST_PROGRAMS = 500
MOST_LINES = 200_000  # of all programs
MOST_EVIDENCE = 2_000_000  # characters of evidence, in which lines are looked for
MOST = 10**18  # of any number: nobody counts so many tokens, and sums can still be written
_Word = Annotated[str, Meta(max_length=200)]
_Text = Annotated[str, Meta(max_length=200_000)]


class Program(msgspec.Struct):
    """One program: its text, the humans' labels by concept, and the answer of `/assessment` or why there is none."""

    student: Annotated[str, Meta(min_length=1, max_length=200)]
    labels: dict[str, str]
    code: Annotated[str, Meta(max_length=1_000_000)] = ""
    data: list[dict[str, Any]] = []
    metadata: dict[str, Any] = {}
    error: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None


class Submitted(msgspec.Struct):
    """A set of programs, graded by one rubric."""

    rubric: _Text
    programs: Annotated[list[Program], Meta(min_length=1, max_length=MOST_PROGRAMS)]
    lesson: _Word = "lesson"
    experiment: _Word = ""
    dataset: _Word = ""
    model: _Word = ""
    prompt: _Text = ""
    params: dict[str, Any] = {}


def read_submitted(raw: bytes) -> Measured:
    """The set in a JSON body. Raises `BadRequest` that names the field at fault, `BodyTooLarge`."""
    try:
        given = msgspec.json.decode(raw, type=Submitted)
    except msgspec.ValidationError as error:
        raise BadRequest(str(error).replace("`$.", "`")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest("The body must be a JSON object") from None
    rubric = Rubric.parse(given.rubric)
    now = datetime.now(UTC)
    programs = [_program(f"programs[{at}]", each, rubric.concepts) for at, each in enumerate(given.programs)]
    if len({program.student for program in programs}) < len(programs):
        raise BadRequest("`programs` has a student twice", param="programs")
    _check_size(programs)
    return Measured(
        experiment=given.experiment,
        dataset=given.dataset,
        lesson=given.lesson,
        model=given.model,
        params=given.params,
        prompt=given.prompt,
        rubric=given.rubric,
        sha256={},
        concepts=rubric.concepts,
        programs=tuple(sorted(programs, key=lambda program: program.student)),
        started=now,
        finished=now,
    )


def _program(where: str, given: Program, concepts: tuple[str, ...]) -> GradedProgram:
    _check_labels(f"{where}.labels", given.labels, concepts)
    metadata = given.metadata
    cost, seconds, usage = metadata.get("cost"), metadata.get("time"), metadata.get("usage")
    return GradedProgram(
        student=given.student,
        source=given.code,
        actual=given.labels,
        predicted=() if given.error else _rows(f"{where}.data", given.data, concepts),
        error=given.error,
        agent=str(metadata.get("agent", ""))[:200],
        cost=cost if _is_count(cost) else None,
        seconds=float(seconds) if isinstance(seconds, int | float) and 0 <= seconds <= MOST else 0.0,
        usage=_usage(usage),
    )


def _check_size(programs: list[GradedProgram]) -> None:
    """A page of more than this nobody reads, and it would take minutes to write."""
    if sum(program.source.count("\n") + program.source.count("\r") for program in programs) > MOST_LINES:
        raise BodyTooLarge(f"`programs` have more than {MOST_LINES} lines together", param="programs")
    if sum(len(row.evidence) for program in programs for row in program.predicted) > MOST_EVIDENCE:
        raise BodyTooLarge(f"`programs` have more than {MOST_EVIDENCE} characters of evidence", param="programs")


def _rows(where: str, given: list[dict[str, Any]], concepts: tuple[str, ...]) -> tuple[Row, ...]:
    rows = [_row(each) for each in given]
    labels = {row.concept: row.label for row in rows}
    if len(labels) < len(rows):
        raise BadRequest(f"`{where}` has a key concept twice", param=where)
    _check_labels(where, labels, concepts)
    by_concept = {row.concept: row for row in rows}
    return tuple(by_concept[concept] for concept in concepts)


def _row(cells: Mapping[str, Any]) -> Row:
    texts = {name: value if isinstance(value, str) else "" for name, value in cells.items()}
    label = texts.get("Grade", texts.get("Label", ""))
    others = (texts.get(name, "") for name in ("Observations", "Evidence", "Reason"))
    return Row(texts.get(CONCEPT, ""), label, *others)


def _check_labels(where: str, labels: Mapping[str, str], concepts: tuple[str, ...]) -> None:
    if set(labels) != set(concepts):
        raise BadRequest(f"`{where}` must have the key concepts of the rubric, each once", param=where)
    for concept, label in labels.items():
        if label not in LABELS:
            raise BadRequest(f"`{where}`: the label of `{concept}` must be one of {', '.join(LABELS)}", param=where)


def _usage(value: Any) -> dict[str, int] | None:
    if not isinstance(value, dict):
        return None
    return {str(name): count for name, count in value.items() if _is_count(count)} or None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MOST
