"""What measuring needs of whoever grades: the service in this process, or a proxy at an address."""

from __future__ import annotations

from typing import Protocol

from lib.assessment.graded import Graded
from lib.assessment.measure.experiment import Experiment
from lib.base.errors import AIProxyError


class Ungraded(Exception):
    """A program has no grades; the text says why. `cost` is what was spent all the same, in nano-USD, if known."""

    def __init__(self, why: str, cost: int | None = None) -> None:
        super().__init__(why)
        self.cost = cost

    @classmethod
    def of(cls, error: AIProxyError, cost: int | None = None) -> Ungraded:
        """The same as an error of the gateway, with its detail: whoever measures is the operator."""
        detail = f" ({error.detail})" if error.detail else ""
        return cls(f"{error.status} {error.code}: {error.message}{detail}", cost)


class Grader(Protocol):
    """Grades programs, several at once in greenlets. One that is killed gives up."""

    def check(self, experiment: Experiment) -> None:
        """See that this experiment can be graded at all. Raises `InputError`, before any money is spent."""

    def grade(self, experiment: Experiment, code: str) -> Graded:
        """Grade one program. Raises `Ungraded`."""

    def identity(self) -> str | None:
        """What besides the experiment and the program decides the grades: code, and where models' names lead.
        None when that cannot be known. Raises `InputError`."""

    def rehearsed(self) -> bool:
        """Whether no model is asked, and the grades mean nothing. Raises `InputError`."""
