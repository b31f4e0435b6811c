"""Folders, grades and a grader to measure with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gevent

from lib.assessment import CONVINCING, EXTENSIVE, LIMITED, NO, Graded, Row
from lib.assessment.measure import Experiment, GradedProgram, Measured

SHORT = {"E": EXTENSIVE, "C": CONVINCING, "L": LIMITED, "N": NO}
PARAMS: dict[str, Any] = {"model": "echo", "num-responses": "1", "temperature": "0.2"}
RUBRIC = """Key Concept,Extensive Evidence,Convincing Evidence,Limited Evidence,No Evidence
Loops,all,most,some,none
"If, else",a,b,c,d
"""
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def experiment_folder(folder: Path, lesson: str = "L1", rubric: str = RUBRIC, **params: Any) -> Path:
    """One lesson of the experiment in `folder`; returns the folder of the experiment."""
    write(folder / lesson / "params.json", json.dumps(PARAMS | {key.replace("_", "-"): params[key] for key in params}))
    write(folder / lesson / "system_prompt.txt", "Grade it.")
    write(folder / lesson / "standard_rubric.csv", rubric)
    return folder


def dataset_folder(folder: Path, labels: Mapping[str, str], lesson: str = "L1") -> Path:
    """One lesson with a program for each student; `labels` are letters, one for each concept of `RUBRIC`."""
    rows = ['student,Loops,"If, else"']
    for student, letters in labels.items():
        write(folder / lesson / f"{student}.js", f"// {student}\n")
        rows.append(",".join([student, *(SHORT[letter] for letter in letters)]))
    write(folder / lesson / "actual_labels.csv", "\n".join(rows) + "\n")
    return folder


def measured(
    found: Iterable[tuple[str, str]], experiment: str = "one", concepts: tuple[str, ...] = ("Loops",)
) -> Measured:
    """Grades from letters: for each student those of the humans and the predicted ones, one letter for each concept."""
    programs = tuple(
        GradedProgram(
            student=f"s{number:03}",
            source="var x;",
            actual={concept: SHORT[letter] for concept, letter in zip(concepts, actual, strict=True)},
            predicted=tuple(Row(concept, SHORT[letter]) for concept, letter in zip(concepts, predicted, strict=True)),
        )
        if predicted
        else GradedProgram(student=f"s{number:03}", source="", actual={}, error="502 vendor_error: away")
        for number, (actual, predicted) in enumerate(found)
    )
    return Measured(
        experiment=experiment,
        dataset="data",
        lesson="L1",
        model="echo",
        params={},
        prompt="",
        rubric="",
        sha256={},
        concepts=concepts,
        programs=programs,
        started=NOON,
        finished=NOON,
    )


def grades(letters: str, cost: int | None = 5, **more: Any) -> Graded:
    """What a grader gives for a program of the experiments above."""
    rows = (Row("Loops", SHORT[letters[0]]), Row("If, else", SHORT[letters[1]], evidence="Line 1: `if`"))
    return Graded(rows, "openai", 0.5, usage={"total_tokens": 3}, cost=cost, **more)


@dataclass
class FakeGrader:
    """Gives the same grades to all, after `seconds`, unless `answer` says otherwise; notes what it was asked."""

    answer: Callable[[str], Graded] = lambda code: grades("EE")
    seconds: float = 0.0
    mark: str | None = "fake"
    is_rehearsal: bool = False
    asked: list[str] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    def check(self, experiment: Experiment) -> None:
        """Everything can be graded."""

    def grade(self, experiment: Experiment, code: str) -> Graded:
        self.asked.append(code.strip().removeprefix("// "))
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            gevent.sleep(self.seconds)
            return self.answer(code)
        finally:
            self.open -= 1

    def identity(self) -> str | None:
        return self.mark

    def rehearsed(self) -> bool:
        return self.is_rehearsal
