"""How well programs are graded: an experiment's grades compared with the labels of humans."""

from lib.assessment.measure.agreement import EXACT, PASS_FAIL, Agreement, agreement
from lib.assessment.measure.cache import Cache
from lib.assessment.measure.comparing import Change, Comparison, compare
from lib.assessment.measure.confidence import confidence_json, exact_confidence, pass_fail_confidence
from lib.assessment.measure.dataset import Dataset, read_dataset
from lib.assessment.measure.experiment import Experiment, lessons_of, read_experiment
from lib.assessment.measure.faults import InputError
from lib.assessment.measure.gate import Miss, Thresholds, check_thresholds, misses, read_thresholds
from lib.assessment.measure.grading import Grader, Ungraded
from lib.assessment.measure.labelling import new_labels
from lib.assessment.measure.outcome import GradedProgram, Measured, from_json, to_json
from lib.assessment.measure.params import Params, parse_responses, parse_temperature
from lib.assessment.measure.places import Place
from lib.assessment.measure.purse import Purse
from lib.assessment.measure.remote import RemoteGrader
from lib.assessment.measure.running import INTERRUPTED, Run
from lib.assessment.measure.selecting import Lesson, changed, only, students
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
    "INTERRUPTED",
    "PASS_FAIL",
    "Accuracy",
    "Agreement",
    "Cache",
    "Change",
    "Comparison",
    "Dataset",
    "Experiment",
    "GradedProgram",
    "Grader",
    "InputError",
    "Lesson",
    "Matrix",
    "Measured",
    "Miss",
    "Pair",
    "Params",
    "Place",
    "Purse",
    "RemoteGrader",
    "Run",
    "Thresholds",
    "Ungraded",
    "accuracy",
    "agreement",
    "changed",
    "check_thresholds",
    "compare",
    "confidence_json",
    "confusion",
    "exact_confidence",
    "from_json",
    "lessons_of",
    "mcnemar",
    "misses",
    "new_labels",
    "only",
    "parse_responses",
    "parse_temperature",
    "pass_fail_confidence",
    "read_dataset",
    "read_experiment",
    "read_thresholds",
    "same_label",
    "same_side",
    "steps",
    "students",
    "to_json",
    "wilson",
]
