"""What measuring gives: the graded programs of one lesson beside the labels of humans. Reports and JSON hold this."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from lib.assessment.graded import Row


class GradedProgram(msgspec.Struct, frozen=True, kw_only=True):
    """One student's program.

    `actual` are the humans' labels by concept. Either `predicted` holds a row for each concept, in the rubric's order,
    or `error` says in words why there are none. `cost` is in nano-USD, None without a price; a program that was
    answered from the cache costs 0, one that failed what was spent all the same. `usage` is in OpenAI's shape, None
    when no model was asked.
    """

    student: str
    source: str
    actual: dict[str, str]
    predicted: tuple[Row, ...] = ()
    error: str | None = None
    agent: str = ""
    cost: int | None = None
    seconds: float = 0.0
    usage: dict[str, int] | None = None
    cached: bool = False

    @property
    def is_echo(self) -> bool:
        """Whether the built-in echo graded it, at random."""
        return self.agent.partition(",")[0] == "echo"

    def label(self, concept: str) -> str | None:
        """The predicted label of a concept; None when there is none."""
        return next((row.label for row in self.predicted if row.concept == concept), None)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One lesson, as one experiment grades one dataset.

    `params` are those of params.json with what the command line changed; `sha256` are hexadecimal hashes of the inputs
    by name: `prompt`, `rubric`, `examples`, `labels`, `programs`. `programs` are in order of the student's id.
    `stopped` says in words why some programs were not asked about, `not_asked` names their students. `rehearsed`: the
    echo answered in a model's place, and the grades mean nothing.
    """

    experiment: str
    dataset: str
    lesson: str
    model: str
    params: dict[str, Any]
    prompt: str
    rubric: str
    sha256: dict[str, str]
    concepts: tuple[str, ...]
    programs: tuple[GradedProgram, ...]
    started: datetime
    finished: datetime
    stopped: str | None = None
    not_asked: tuple[str, ...] = ()
    rehearsed: bool = False

    @property
    def answered(self) -> tuple[GradedProgram, ...]:
        """The programs that have grades."""
        return tuple(program for program in self.programs if program.error is None)

    @property
    def failed(self) -> tuple[GradedProgram, ...]:
        """The programs that have none."""
        return tuple(program for program in self.programs if program.error is not None)

    @property
    def cost(self) -> int:
        """What is known to be spent, in nano-USD."""
        return sum(program.cost or 0 for program in self.programs)


def to_json(measured: Measured) -> bytes:
    """As JSON, with two spaces of indent and a line end."""
    return msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n"


def from_json(data: bytes) -> Measured:
    """What `to_json` wrote. Raises `ValueError` for anything else."""
    return msgspec.json.decode(data, type=Measured)
