"""Grading one program over the gateway."""

from lib.assessment.grading.answers import grades
from lib.assessment.grading.asking import Asker, Door
from lib.assessment.grading.fields import Values
from lib.assessment.grading.fingerprint import fingerprint
from lib.assessment.grading.grader import Grader, GradingTerms, metadata
from lib.assessment.grading.request import Example, Request, api_key, read_request
from lib.assessment.grading.unusable import Unusable

__all__ = [
    "Asker",
    "Door",
    "Example",
    "Grader",
    "GradingTerms",
    "Request",
    "Unusable",
    "Values",
    "api_key",
    "fingerprint",
    "grades",
    "metadata",
    "read_request",
]
