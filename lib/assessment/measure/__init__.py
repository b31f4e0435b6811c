"""How well programs are graded: an experiment's grades compared with the labels of humans."""

from lib.assessment.measure.agreement import EXACT, PASS_FAIL, Agreement, agreement
from lib.assessment.measure.comparing import Change, Comparison, compare
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
    "EXACT",
    "PASS_FAIL",
    "Accuracy",
    "Agreement",
    "Change",
    "Comparison",
    "GradedProgram",
    "Matrix",
    "Measured",
    "Pair",
    "accuracy",
    "agreement",
    "compare",
    "confusion",
    "from_json",
    "mcnemar",
    "same_label",
    "same_side",
    "steps",
    "to_json",
    "wilson",
]
