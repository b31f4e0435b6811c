"""What can be said about a student's Game Lab program without asking a model."""

from lib.assessment.program.comments import is_blank, without_comments
from lib.assessment.program.extract import features
from lib.assessment.program.model import Features
from lib.assessment.program.trees import Decision, Trees, UnknownTree

__all__ = ["Decision", "Features", "Trees", "UnknownTree", "features", "is_blank", "without_comments"]
