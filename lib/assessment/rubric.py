"""A rubric: the concepts a program is graded on, and what each label means for each of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

from lib.assessment.labels import LABELS
from lib.base.errors import BadRequest

CONCEPT = "Key Concept"
MAX_CONCEPTS = 50
MAX_NAME = 200  # characters of a concept's name


@dataclass(frozen=True, slots=True)
class Rubric:
    """`text` is the CSV as it came; `concepts` are in its order; `reasons[concept][label]` is the cell's text."""

    text: str
    concepts: tuple[str, ...]
    reasons: Mapping[str, Mapping[str, str]]

    @classmethod
    def parse(cls, text: str) -> Rubric:
        """Read a CSV with a header row. Raises `BadRequest` that names `rubric` and says what is wrong."""
        reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), skipinitialspace=True, strict=True)
        try:
            rows = list(reader)
        except csv.Error:
            raise _wrong("is not CSV") from None
        header = [name for each in reader.fieldnames or () if (name := each.strip())]
        if CONCEPT not in header or not rows:
            raise _wrong(f"needs a header row with the column `{CONCEPT}`, and at least one row below it")
        if len(set(header)) < len(header):
            raise _wrong("names a column twice")
        cells = [{str(key).strip(): (value or "").strip() for key, value in row.items() if key} for row in rows]
        cells = [row for row in cells if any(row.values())]
        concepts = tuple(row[CONCEPT] for row in cells)
        _check(concepts)
        return cls(text, concepts, {row[CONCEPT]: {label: row.get(label, "") for label in LABELS} for row in cells})


def _check(concepts: tuple[str, ...]) -> None:
    if not concepts:
        raise _wrong("names no concept")
    if not all(concepts):
        raise _wrong(f"has a row without a `{CONCEPT}`")
    if len(concepts) > MAX_CONCEPTS or any(len(concept) > MAX_NAME for concept in concepts):
        raise _wrong(f"has more than {MAX_CONCEPTS} concepts, or one whose name is longer than {MAX_NAME} characters")
    if len(set(concepts)) < len(concepts):
        raise _wrong("names a concept twice")


def _wrong(words: str) -> BadRequest:
    return BadRequest(f"`rubric` {words}.", param="rubric")
