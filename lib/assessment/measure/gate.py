"""The accuracy gate: whether an experiment is as good as it must be, by lesson and concept.

Thresholds are a JSON file: `{lesson: {"overall": 0.7, "key_concepts": {concept: 0.7}}}`, shares of exact agreement.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from lib.assessment.measure.agreement import EXACT, agreement
from lib.assessment.measure.faults import InputError, read_text, some
from lib.assessment.measure.outcome import Measured
from lib.assessment.measure.statistics import Accuracy

Limit = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one lesson must reach."""

    overall: Limit | None = None
    key_concepts: dict[str, Limit] = {}


class Miss(msgspec.Struct, frozen=True):
    """A threshold that was missed; `concept` is None for the lesson as a whole."""

    lesson: str
    concept: str | None
    wanted: float
    found: Accuracy

    def __str__(self) -> str:
        reached = "nothing was graded" if self.found.share is None else f"{self.found.share:.3f}"
        return f"{self.lesson}: {self.concept or 'overall'}: {reached}, wanted {self.wanted:g}"


def read_thresholds(path: Path) -> dict[str, Thresholds]:
    """The thresholds by lesson. Raises `InputError`."""
    try:
        return msgspec.json.decode(read_text(path), type=dict[str, Thresholds])
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {error}") from None


def check_thresholds(thresholds: dict[str, Thresholds], lesson: str, concepts: tuple[str, ...]) -> None:
    """See that there is something to reach, and nothing that is not measured. Raises `InputError`."""
    wanted = thresholds.get(lesson)
    if wanted is None or (wanted.overall is None and not wanted.key_concepts):
        raise InputError(f"there is no threshold for {lesson}")
    foreign = [concept for concept in wanted.key_concepts if concept not in concepts]
    if foreign:
        raise InputError(f"there are thresholds of {lesson} for what its rubric does not have: {some(foreign)}")


def misses(measured: Measured, wanted: Thresholds) -> list[Miss]:
    """The thresholds that were missed. What was not graded at all misses them."""
    found = agreement(measured, EXACT)
    places = [(None, wanted.overall, found.overall)] if wanted.overall is not None else []
    checks = [*places, *((concept, limit, found.by_concept[concept]) for concept, limit in wanted.key_concepts.items())]
    return [
        Miss(measured.lesson, concept, limit, reached)
        for concept, limit, reached in checks
        if reached.share is None or reached.share < limit
    ]
