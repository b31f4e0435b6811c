"""From a model's answer to the grades in it. No grade is guessed: what cannot be read in one way is refused."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from lib.assessment.graded import Row
from lib.assessment.grading.names import Names, bare
from lib.assessment.grading.readings import Cells, Reading, readings
from lib.assessment.grading.unusable import Unusable
from lib.assessment.labels import LABELS
from lib.assessment.rubric import CONCEPT, Rubric

REQUIRED = (CONCEPT, "Observations", "Label", "Reason")
MOST_TOLD = 5  # unexpected names that a reason lists
_BY_CASE = {label.casefold(): label for label in LABELS}
_NOTHING = "no JSON array of objects and no table with the column `Key Concept`"


def grades(text: str, rubric: Rubric) -> tuple[Row, ...]:
    """The grades in an answer, one for each concept, in the rubric's order. Raises `Unusable` with the reason."""
    names = Names(rubric.concepts)
    found = list(readings(text))
    usable: list[dict[str, Row]] = []
    reasons: list[tuple[int, str]] = []  # with the size of the reading: the largest was most likely meant
    for reading in found:
        try:
            usable.append(_checked(reading, rubric, names))
        except Unusable as error:
            reasons.append((len(reading), error.reason))
    if not usable:
        raise Unusable(max(reasons, key=itemgetter(0))[1] if reasons else _NOTHING)
    chosen = usable[0]
    for concept, label in _said(found, names):
        if chosen[concept].label != label:
            raise Unusable(f"it has two labels for {concept!r}")
    return tuple(chosen[concept] for concept in rubric.concepts)


def concepts_named(text: str, rubric: Rubric) -> list[set[str]]:
    """The concepts that each reading of an answer names, those of the rubric in its spelling. Raises `Unusable`."""
    names = Names(rubric.concepts)
    cells = ([each.get(CONCEPT) for each in reading] for reading in readings(text))
    return [{names.find(each) or each for each in reading if isinstance(each, str)} for reading in cells]


def text_of(value: Any) -> str:
    """What a cell says: numbers as text, lists with spaces between, nothing for everything else."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "").strip()
    if type(value) in (int, float):
        return str(value)
    if isinstance(value, list) and not any(isinstance(each, list | tuple) for each in value):
        return " ".join(filter(None, map(text_of, value)))
    return ""


def label_of(value: Any) -> str | None:
    """The label that a cell is, whatever its case; None when it is none."""
    return _BY_CASE.get(bare(value).casefold()) if isinstance(value, str) else None


def _checked(reading: Reading, rubric: Rubric, names: Names) -> dict[str, Row]:
    """The rows of a reading by their concepts, which are those of the rubric, each once. Raises `Unusable`."""
    rows: dict[str, Row] = {}
    unexpected: list[str] = []
    for cells in reading:
        missing = [name for name in REQUIRED if name not in cells]
        if missing:
            raise Unusable(f"incorrect column names: missing {_listed(missing)}")
        concept = names.find(text_of(cells[CONCEPT]))
        if concept is None:
            unexpected.append(text_of(cells[CONCEPT]))
        elif concept in rows:
            raise Unusable(f"the key concept {concept!r} is there twice")
        else:
            rows[concept] = _row(concept, cells)
    lacking = [concept for concept in rubric.concepts if concept not in rows]
    if unexpected or lacking:
        found = f"unexpected {_listed(unexpected)}, missing {_listed(lacking)}"
        raise Unusable(f"unexpected or missing key concept: {found}")
    return rows


def _row(concept: str, cells: Cells) -> Row:
    label = label_of(cells["Label"])
    if label is None:
        raise Unusable(f"invalid label value for {concept!r}: {text_of(cells['Label'])[:100]!r}")
    return Row(
        concept,
        label,
        observations=text_of(cells["Observations"]),
        evidence=text_of(cells.get("Evidence")),
        reason=text_of(cells["Reason"]),
    )


def _said(found: Iterable[Reading], names: Names) -> Iterable[tuple[str, str]]:
    """Every label that any reading has for a concept, drafts and corrections included."""
    for reading in found:
        for cells in reading:
            concept, label = names.find(text_of(cells.get(CONCEPT))), label_of(cells.get("Label"))
            if concept is not None and label is not None:
                yield concept, label


def _listed(names: list[str]) -> str:
    shown = [repr(name[:100]) for name in names[:MOST_TOLD]]
    more = len(names) - len(shown)
    return (", ".join(shown) + (f" and {more} more" if more else "")) or "none"
