"""Floor 4: programs of students, graded against rubrics, and how well that works."""

from lib.assessment import measure, report, samples
from lib.assessment.graded import FINGERPRINT, Graded, Row
from lib.assessment.grading import Asker, Example, Grader, GradingTerms, Request, Values, api_key, fingerprint, metadata
from lib.assessment.labels import CONVINCING, EXTENSIVE, LABELS, LIMITED, NO, PASSING
from lib.assessment.program import Trees
from lib.assessment.report import render as render_report
from lib.assessment.rubric import CONCEPT, Rubric
from lib.assessment.submitted import MOST_BYTES as MOST_REPORTED
from lib.assessment.submitted import Submitted, read_submitted

__all__ = [
    "CONCEPT",
    "CONVINCING",
    "EXTENSIVE",
    "FINGERPRINT",
    "LABELS",
    "LIMITED",
    "MOST_REPORTED",
    "NO",
    "PASSING",
    "Asker",
    "Example",
    "Graded",
    "Grader",
    "GradingTerms",
    "Request",
    "Row",
    "Rubric",
    "Submitted",
    "Trees",
    "Values",
    "api_key",
    "fingerprint",
    "measure",
    "metadata",
    "read_submitted",
    "render_report",
    "report",
    "samples",
]
