"""Floor 4: programs of students, graded against rubrics, and how well that works."""

from lib.assessment.graded import Graded, Row
from lib.assessment.labels import CONVINCING, EXTENSIVE, LABELS, LIMITED, NO, PASSING
from lib.assessment.rubric import CONCEPT, Rubric

__all__ = ["CONCEPT", "CONVINCING", "EXTENSIVE", "LABELS", "LIMITED", "NO", "PASSING", "Graded", "Row", "Rubric"]
