"""What a condition of a tree can count."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from lib.assessment.program.model import Features, Pattern, Trigger
from lib.assessment.program.words import VELOCITY

Shapes = frozenset[str]
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
CONDITION = re.compile(r"\s*(\w+)\s*(>=|<=|==|>|<)\s*(\d{1,6})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Condition:
    """`measure` compared with `number`, as in `sprites >= 3`."""

    measure: str
    comparison: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Raises `ValueError` that says what is wrong."""
        if not (match := CONDITION.fullmatch(text)):
            raise ValueError(f"`{text}` is not a condition such as `sprites >= 3`")
        measure, comparison, number = match.groups()
        if measure not in MEASURES:
            raise ValueError(f"`{text}`: there is no measure `{measure}`; there are {', '.join(MEASURES)}")
        return cls(measure, comparison, int(number))

    def holds(self, features: Features, shapes: Shapes) -> bool:
        """Whether a program meets it. `shapes` are the calls that the tree counts as different shapes."""
        return COMPARISONS[self.comparison](MEASURES[self.measure](features, shapes), self.number)


def different_shapes(features: Features, shapes: Shapes) -> int:
    """How many different ones of the tree's shapes are drawn."""
    return len({call.name for call in features.calls_of(shapes)})


def _updated_in_draw(features: Features, _: Shapes) -> int:
    return len({update.sprite for update in features.updates if update.in_draw})


def _set_outside(features: Features, properties: frozenset[str]) -> int:
    found = (update for update in features.updates if update.outside and update.property in properties)
    return len({update.sprite for update in found})


def _moves(features: Features, pattern: Pattern) -> int:
    return sum(movement.pattern == pattern for movement in features.movements)


def _decided_by(features: Features, *triggers: Trigger) -> int:
    return sum(not each.triggers.isdisjoint(triggers) for each in features.conditionals if each.in_draw)


def _most_calls(features: Features, _: Shapes) -> int:
    return max(Counter(call.name for call in features.own_calls()).values(), default=0)


MEASURES: dict[str, Callable[[Features, Shapes], int]] = {
    "shapes": lambda features, _: len(features.of_kind("shape")),
    "sprites": lambda features, _: len(features.of_kind("sprite")),
    "texts": lambda features, _: len(features.of_kind("text")),
    "backgrounds": lambda features, _: len(features.of_kind("background")),
    "elements": lambda features, _: len(features.of_kind("shape", "sprite", "text")),
    "others": lambda features, _: len(features.of_kind("shape", "text")),
    "different_shapes": different_shapes,
    "updated_in_draw": _updated_in_draw,
    "moves": lambda features, _: len(features.movements),
    "counter_moves": lambda features, _: _moves(features, "counter"),
    "random_moves": lambda features, _: _moves(features, "random"),
    "conditionals": lambda features, _: _decided_by(features, "user", "variable", "object"),
    "user_conditionals": lambda features, _: _decided_by(features, "user"),
    "value_conditionals": lambda features, _: _decided_by(features, "variable", "object"),
    "animated_outside_draw": lambda features, _: _set_outside(features, frozenset({"animation"})),
    "velocity_outside_draw": lambda features, _: _set_outside(features, VELOCITY),
    "functions": lambda features, _: len({each.name for each in features.functions if not each.in_draw}),
    "calls": lambda features, _: len(features.own_calls()),
    "most_calls": _most_calls,
}
