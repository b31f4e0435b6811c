"""Labels for programs that nobody has labelled: what an experiment predicts, as a file of labels."""

from __future__ import annotations

from lib.assessment.measure.dataset import STUDENT
from lib.assessment.measure.outcome import Measured
from lib.base import table


def new_labels(measured: Measured) -> bytes:
    """A CSV in the form of actual_labels.csv: the student, then the rubric's concepts in its order.

    Programs without grades have no row.
    """
    concepts = measured.concepts
    rows = ([program.student, *(program.label(concept) for concept in concepts)] for program in measured.answered)
    return table((STUDENT, *concepts), rows)
