"""The sample lessons as requests, to try the service on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from lib.assessment.measure import InputError, read_dataset, read_experiment
from lib.assessment.measure.remote import form
from lib.base.errors import NotFound

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Sample(NamedTuple):
    """One program of a sample lesson, and the experiment by which it is graded."""

    experiment: str
    lesson: str
    student: str


PLAIN = Sample("baseline", "csd3-2023-L18", "student_09")
WITH_EXAMPLES = Sample("baseline", "csd3-2023-L24", "student_09")
WITH_TREES = Sample("extractor", "csd3-2023-L11", "student_09")


def fields_of(sample: Sample, folder: Path = EXAMPLES) -> Mapping[str, list[str]]:
    """The fields of the request, without the model. Raises `NotFound` where the samples are not installed."""
    try:
        experiment = read_experiment(folder / "experiments" / sample.experiment, sample.lesson)
        dataset = read_dataset(folder / "datasets" / "samples", sample.lesson, None)
        fields = form(experiment, dataset.programs[sample.student])
    except (InputError, KeyError):
        raise NotFound("The sample lessons are not installed here.") from None
    return {name: [value] for name, value in fields.items() if name != "model"}
