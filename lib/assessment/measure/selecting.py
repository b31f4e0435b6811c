"""What a run is about: which lessons, which students, in which order, and what the command line changes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lib.assessment.measure.dataset import Dataset
from lib.assessment.measure.experiment import Experiment
from lib.assessment.measure.faults import InputError, some


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson of one experiment, and the students whose programs are graded, in the order of asking."""

    experiment: Experiment
    dataset: Dataset
    students: tuple[str, ...]


def only(what: str, wanted: str | None, names: Sequence[str]) -> str:
    """The name that is meant: the wanted one, else the only one there is. Raises `InputError`."""
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return str(wanted)
    there = some(names, 10) or "none"
    raise InputError(f"there is no {what} {wanted}; there are: {there}" if wanted else f"name the {what}: {there}")


def changed(experiment: Experiment, **changes: Any) -> Experiment:
    """The experiment with other parameters, where they are not None."""
    wanted = {name: value for name, value in changes.items() if value is not None}
    return replace(experiment, params=replace(experiment.params, **wanted))


def students(dataset: Dataset, wanted: Sequence[str], most: int, seed: int | None) -> tuple[str, ...]:
    """The wanted students, else the first `most` by id; with a seed, as many that are drawn and ordered by it.

    Raises `InputError` for one who has no program.
    """
    unknown = [student for student in wanted if student not in dataset.programs]
    if unknown:
        raise InputError(f"{dataset.folder}: there is no program of {some(unknown)}")
    found = list(dict.fromkeys(wanted)) or list(dataset.programs)
    if seed is not None:
        random.Random(seed).shuffle(found)  # noqa: S311 - a sample that can be drawn again
    return tuple(found if wanted else found[:most])
