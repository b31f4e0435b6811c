"""One lesson of a dataset: students' programs, and the labels that humans gave them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib.assessment.labels import LABELS
from lib.assessment.measure.experiment import digest
from lib.assessment.measure.faults import InputError, read_text, some

LABELS_FILE = "actual_labels.csv"
STUDENT = "student"
Labels = dict[str, dict[str, str]]
"""By student, then by concept."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """`programs` by student, in order of the students' ids. `labels` may have students without a program."""

    name: str
    lesson: str
    folder: Path
    programs: dict[str, str]
    labels: Labels

    def sha256(self) -> dict[str, str]:
        """Hashes of what is measured, by name."""
        programs = [text for item in self.programs.items() for text in item]
        return {"programs": digest(programs), "labels": digest([str(self.labels)])}


def read_dataset(folder: Path, lesson: str, concepts: Iterable[str] | None) -> Dataset:
    """Read one lesson; without `concepts`, its programs alone. Raises `InputError`.

    The labels' columns must be `concepts`, and every program must have labels.
    """
    place = folder / lesson
    if not place.is_dir():
        raise InputError(f"{place}: there is no such folder")
    programs = {path.stem: read_text(path) for path in sorted(place.glob("*.js"))}
    if not programs:
        raise InputError(f"{place}: there is no program (*.js)")
    labels: Labels = {}
    if concepts is not None:
        labels = read_labels(place / LABELS_FILE, list(concepts))
        without = [student for student in programs if student not in labels]
        if without:
            raise InputError(f"{place / LABELS_FILE}: has no labels for {some(without)}")
    return Dataset(folder.name, lesson, place, programs, labels)


def read_labels(path: Path, concepts: list[str]) -> Labels:
    """The humans' labels. Raises `InputError` with the line of what is wrong."""
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), skipinitialspace=True, strict=True)
    try:
        _check_columns(path, [name.strip() for name in rows.fieldnames or ()], concepts)
        found: Labels = {}
        for row in rows:
            cells = {(name or "").strip(): value for name, value in row.items()}
            student, labels = _row(f"{path}, line {rows.line_num}", cells, concepts)
            if student in found:
                raise InputError(f"{path}, line {rows.line_num}: {student} is there twice")
            found[student] = labels
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}") from None
    return found


def _check_columns(path: Path, columns: list[str], concepts: list[str]) -> None:
    if STUDENT not in columns:
        raise InputError(f"{path}: the first line must name the column `{STUDENT}`")
    if len(set(columns)) < len(columns):
        raise InputError(f"{path}: the first line names a column twice")
    others = [name for name in columns if name != STUDENT]
    missing, unknown = ([x for x in a if x not in b] for a, b in ((concepts, others), (others, concepts)))
    if missing:
        raise InputError(f"{path}: has no column for the rubric's {some(missing)}")
    if unknown:
        raise InputError(f"{path}: the rubric does not have its {some(unknown)}")


def _row(where: str, cells: dict[str, str | None], concepts: list[str]) -> tuple[str, dict[str, str]]:
    student = (cells[STUDENT] or "").strip()
    if not student:
        raise InputError(f"{where}: names no student")
    labels = {concept: (cells[concept] or "").strip() for concept in concepts}
    for concept, label in labels.items():
        if label not in LABELS:
            raise InputError(f"{where}: {label!r} is no label ({concept}); labels are {', '.join(LABELS)}")
    return student, labels
