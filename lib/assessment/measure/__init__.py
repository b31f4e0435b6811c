"""How well programs are graded: an experiment's grades compared with the labels of humans."""

from lib.assessment.measure.outcome import GradedProgram, Measured, from_json, to_json

__all__ = ["GradedProgram", "Measured", "from_json", "to_json"]
