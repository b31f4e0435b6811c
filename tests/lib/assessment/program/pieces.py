"""Programs for the tables of the trees, each piece a line."""

from __future__ import annotations

from lib.assessment.labels import CONVINCING, EXTENSIVE, LIMITED, NO
from lib.assessment.program import Trees

TREES = Trees.load()
E, C, L, N = EXTENSIVE, CONVINCING, LIMITED, NO


def sprites(count: int) -> list[str]:
    """Sprites s1, s2, ..., a line each."""
    return [f"var s{number} = createSprite({number}, 2);" for number in range(1, count + 1)]


def draw(*lines: str) -> list[str]:
    """A draw loop around these lines."""
    return ["function draw() {", *lines, "}"]


def program(*lines: str) -> str:
    """These lines."""
    return "\n".join([*lines, ""])


def evidence(lesson: str, concept: str, code: str) -> list[str]:
    """The evidence for a program."""
    return list(TREES.decide(f"csd3-2023-{lesson}", concept, code).evidence)


def label(lesson: str, concept: str, code: str) -> str:
    """The label of a program."""
    return TREES.decide(f"csd3-2023-{lesson}", concept, code).label
