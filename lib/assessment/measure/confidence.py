"""How far the website may trust a grade: the contents of confidence.json and confidence-exact.json.

The levels and their limits are those that aiproxy's users have: by concept from the accuracy of pass or fail, and by
concept and predicted label from how often that label was right, which takes ten predictions to be believed.
"""

from __future__ import annotations

import msgspec

from lib.assessment.measure.agreement import EXACT, PASS_FAIL, agreement
from lib.assessment.measure.outcome import Measured

HIGH, MEDIUM, LOW = "HIGH", "MEDIUM", "LOW"
HIGH_FROM, MEDIUM_FROM = (85, 100), (80, 100)  # of pass or fail, as whole numbers: 17 of 20 is not below 0.85
EXACT_FROM = (88, 100)
ENOUGH = 10  # predictions of a label


def pass_fail_confidence(measured: Measured) -> dict[str, str]:
    """The level of each concept."""
    by_concept = agreement(measured, PASS_FAIL).by_concept
    return {concept: _level(found.right, found.total) for concept, found in by_concept.items()}


def exact_confidence(measured: Measured) -> dict[str, dict[str, str]]:
    """The level of each label of each concept."""
    found = agreement(measured, EXACT)
    return {
        concept: {
            label: _exact_level(table[at][at], sum(row[at] for row in table)) for at, label in enumerate(found.labels)
        }
        for concept, table in found.matrices.items()
    }


def confidence_json(levels: dict[str, str] | dict[str, dict[str, str]]) -> bytes:
    """As the files hold it: two spaces of indent and a line end."""
    return msgspec.json.format(msgspec.json.encode(levels), indent=2) + b"\n"


def _level(right: int, of: int) -> str:
    if _reaches(right, of, HIGH_FROM):
        return HIGH
    return MEDIUM if _reaches(right, of, MEDIUM_FROM) else LOW


def _exact_level(right: int, predicted: int) -> str:
    return HIGH if predicted >= ENOUGH and _reaches(right, predicted, EXACT_FROM) else LOW


def _reaches(right: int, of: int, limit: tuple[int, int]) -> bool:
    return of > 0 and right * limit[1] >= of * limit[0]
