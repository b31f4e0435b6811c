"""Measured lessons to report on: the bundled programs with made-up grades, which say nothing about any model."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from datetime import UTC, datetime, timedelta

from lib.assessment import LABELS, Row, Rubric
from lib.assessment.measure import GradedProgram, Measured
from tests.house.tree import ROOT

LESSON = "csd3-2023-L18"
PROGRAMS = ROOT / "examples/datasets/samples" / LESSON
EXPERIMENTS = ROOT / "examples/experiments"
START = datetime(2025, 11, 26, 9, 30, tzinfo=UTC)

# How far the AI is below (+) or above (-) the human, in steps, by student and then by concept.
OFF = {
    "baseline": "0000 0000 0000 0-100 0-100 0010 0001 0010 -1-201 0101 1000 0011",
    "extractor": "0000 0000 0000 0000 0-100 0000 0001 0000 -1000 0001 0000 0001",
}
SIGNS = [r"\bif\b|keyDown|else", r"createSprite|setAnimation", r"\.[xy] =|rotation|rect|triangle", r"//|/\*|var "]
THOUGHTS = [
    ("The program asks `{line}` and acts on it.", "The conditionals that run in the draw loop were counted."),
    ("Sprites are made and given a look, first in `{line}`.", "Only sprites that change in the draw loop count."),
    ("Something changes its place, as in `{line}`.", "Elements that are placed or moved were counted."),
    ("Names such as the one in `{line}` can be read.", "Names say what most things are; comments are few."),
]


def measured(experiment: str = "baseline", failing: str = "") -> Measured:
    """The lesson as this experiment grades it. `failing` names a student whose program got no grades."""
    home = EXPERIMENTS / experiment / LESSON
    texts = {"prompt": (home / "system_prompt.txt").read_text(), "rubric": (home / "standard_rubric.csv").read_text()}
    rubric = Rubric.parse(texts["rubric"])
    labels = (PROGRAMS / "actual_labels.csv").read_text()
    actual = {row.pop("student"): row for row in csv.DictReader(io.StringIO(labels))}
    offs = [[int(number) for number in re.findall(r"-?\d", word)] for word in OFF[experiment].split()]
    programs = tuple(_program(student, actual[student], off, rubric) for student, off in zip(actual, offs, strict=True))
    return Measured(
        experiment=experiment,
        dataset="samples",
        lesson=LESSON,
        model="example-model",
        params={"model": "example-model", "num-responses": 3, "temperature": 0.2, "remove-comments": False},
        sha256={name: hashlib.sha256(text.encode()).hexdigest() for name, text in {**texts, "labels": labels}.items()},
        concepts=rubric.concepts,
        programs=tuple(_failed(program) if program.student == failing else program for program in programs),
        started=START,
        finished=START + timedelta(seconds=83.4),
        **texts,
    )


def _program(student: str, actual: dict[str, str], off: list[int], rubric: Rubric) -> GradedProgram:
    source = (PROGRAMS / f"{student}.js").read_text()
    tokens = 900 + len(source) // 3
    rows = (_row(number, concept, actual, off[number], source) for number, concept in enumerate(rubric.concepts))
    return GradedProgram(
        student=student,
        source=source,
        actual=actual,
        predicted=tuple(rows),
        agent="example",
        cost=tokens * 3_000 + 450 * 15_000,
        seconds=4.1 + len(source) / 400,
        usage={"prompt_tokens": tokens, "completion_tokens": 450, "total_tokens": tokens + 450},
    )


def _row(number: int, concept: str, actual: dict[str, str], off: int, source: str) -> Row:
    label = LABELS[min(3, max(0, LABELS.index(actual[concept]) + off))]
    lines = source.splitlines()
    found = [at for at, line in enumerate(lines, 1) if re.search(SIGNS[number], line)]
    if not found:
        return Row(concept, label, "Nothing in the program has to do with this.", "", "There is no evidence.")
    observation, reason = THOUGHTS[number]
    said = observation.format(line=lines[found[0] - 1].strip())
    return Row(concept, label, said, _evidence(found, lines), reason)


def _evidence(found: list[int], lines: list[str]) -> str:
    """Runs of lines, as the clean-up of answers leaves them: on one line, each with a text of the program."""
    runs: list[list[int]] = []
    for at in found:
        if runs and at == runs[-1][-1] + 1:
            runs[-1].append(at)
        else:
            runs.append([at])
    named = [f"Line {run[0]}:" if len(run) == 1 else f"Lines {run[0]}-{run[-1]}:" for run in runs[:5]]
    return " ".join(f"{name} `{lines[run[0] - 1].strip()}`" for name, run in zip(named, runs, strict=False))


def _failed(program: GradedProgram) -> GradedProgram:
    return GradedProgram(
        student=program.student,
        source=program.source,
        actual=program.actual,
        error="The model's answer names no label for Position and Movement.",
        seconds=31.2,
    )
