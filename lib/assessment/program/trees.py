"""The decision trees: which label a program gets for a concept of a lesson, read from trees.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lib.assessment.labels import CONVINCING, EXTENSIVE, LIMITED, NO
from lib.assessment.program.evidence import EVIDENCE, evidence
from lib.assessment.program.extract import features
from lib.assessment.program.measures import Condition
from lib.assessment.program.model import Features
from lib.base import SettingsError

BUILT_IN = Path(__file__).with_name("trees.toml")


class UnknownTree(KeyError):
    """There is no tree for this concept of this lesson. Its text may be shown to a caller."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Decision:
    """`label` is one of `LABELS`. `evidence` are lines such as `Line 3: ...` and `Lines 3-5: ...`."""

    label: str
    evidence: tuple[str, ...]


class TreeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[tree]]` of the file."""

    lesson: str
    concept: str
    extensive: tuple[str, ...]
    convincing: tuple[str, ...]
    limited: tuple[str, ...]
    evidence: tuple[str, ...]
    shapes: tuple[str, ...] = ()


class TreesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    tree: tuple[TreeRow, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """The labels from the best to the worst, each with the conditions that must all hold for it."""

    levels: tuple[tuple[str, tuple[Condition, ...]], ...]
    evidence: tuple[str, ...]
    shapes: frozenset[str]

    @classmethod
    def parse(cls, row: TreeRow) -> Tree:
        """Raises `ValueError` that says what is wrong."""
        rows = ((EXTENSIVE, row.extensive), (CONVINCING, row.convincing), (LIMITED, row.limited))
        for label, conditions in rows:
            if not conditions:
                raise ValueError(f"{label} has no condition")
        for kind in row.evidence:
            if kind not in EVIDENCE:
                raise ValueError(f"there is no evidence `{kind}`; there are {', '.join(EVIDENCE)}")
        levels = tuple((label, tuple(map(Condition.parse, conditions))) for label, conditions in rows)
        return cls(levels, row.evidence, frozenset(row.shapes))

    def decide(self, found: Features) -> Decision:
        """The first label whose conditions all hold, `NO` without one."""
        passed = (label for label, conditions in self.levels if all(c.holds(found, self.shapes) for c in conditions))
        return Decision(next(passed, NO), evidence(found, self.evidence, self.shapes))


class Trees:
    """All trees, by lesson and concept, both as clients spell them."""

    def __init__(self, trees: Mapping[tuple[str, str], Tree]) -> None:
        self._trees = dict(trees)

    @classmethod
    def load(cls, path: Path = BUILT_IN) -> Trees:
        """Read and check the file. Raises `SettingsError` with the file's name and the place of each fault."""
        try:
            rows = msgspec.convert(tomllib.loads(path.read_text("utf-8")), TreesFile).tree
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise SettingsError(f"{path}: {error}") from None
        trees, faults = _parsed(rows)
        if faults:
            raise SettingsError("\n".join(f"{path}: {fault}" for fault in faults))
        return cls(trees)

    def knows(self, lesson: str, concept: str) -> bool:
        """Whether there is a tree for this concept of this lesson."""
        return (lesson, concept) in self._trees

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every lesson and concept there is a tree for, in the order of the file."""
        return tuple(self._trees)

    def decide(self, lesson: str, concept: str, code: str) -> Decision:
        """The label of a program and what speaks for it. Raises `UnknownTree`."""
        return self.decide_each(lesson, (concept,), code)[concept]

    def decide_each(self, lesson: str, concepts: Iterable[str], code: str) -> dict[str, Decision]:
        """The same for several concepts of a lesson; the program is read once. Raises `UnknownTree`."""
        trees = {concept: self._tree(lesson, concept) for concept in concepts}
        found = features(code)
        return {concept: tree.decide(found) for concept, tree in trees.items()}

    def _tree(self, lesson: str, concept: str) -> Tree:
        tree = self._trees.get((lesson, concept))
        if not tree:
            raise UnknownTree(f"There is no decision tree for `{concept}` in lesson `{lesson}`.")
        return tree


def _parsed(rows: tuple[TreeRow, ...]) -> tuple[dict[tuple[str, str], Tree], list[str]]:
    """The trees, and what is wrong with them."""
    trees: dict[tuple[str, str], Tree] = {}
    faults = []
    for row in rows:
        place = f"{row.lesson}, {row.concept}"
        if (row.lesson, row.concept) in trees:
            faults.append(f"{place}: there are two trees")
            continue
        try:
            trees[row.lesson, row.concept] = Tree.parse(row)
        except ValueError as fault:
            faults.append(f"{place}: {fault}")
    return trees, faults
