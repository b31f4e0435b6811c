"""Floor 4: programs of students, graded against rubrics, and how well that works."""

from lib.assessment.graded import Graded, Row
from lib.assessment.grading import Asker, Example, Grader, GradingTerms, Request, metadata
from lib.assessment.labels import CONVINCING, EXTENSIVE, LABELS, LIMITED, NO, PASSING
from lib.assessment.program import Trees
from lib.assessment.rubric import CONCEPT, Rubric

__all__ = [
    "CONCEPT",
    "CONVINCING",
    "EXTENSIVE",
    "LABELS",
    "LIMITED",
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
    "Trees",
    "metadata",
]
