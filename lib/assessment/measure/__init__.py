"""How well programs are graded: an experiment's grades compared with the labels of humans."""

from lib.assessment.measure.outcome import GradedProgram, Measured, from_json, to_json
from lib.assessment.measure.statistics import (
    Accuracy,
    Matrix,
    Pair,
    accuracy,
    confusion,
    mcnemar,
    same_label,
    same_side,
    steps,
    wilson,
)

__all__ = [
    "Accuracy",
    "GradedProgram",
    "Matrix",
    "Measured",
    "Pair",
    "accuracy",
    "confusion",
    "from_json",
    "mcnemar",
    "same_label",
    "same_side",
    "steps",
    "to_json",
    "wilson",
]
