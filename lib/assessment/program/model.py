"""What a reading finds in a program. Lines count from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["sprite", "shape", "text", "background"]
Trigger = Literal["user", "variable", "object"]
Pattern = Literal["counter", "random"]


class Lines(NamedTuple):
    """From a first line to a last one, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Element:
    """Something on the screen: what `call`, such as `rect`, makes or draws.

    `name` is the variable it is kept in, empty without one. A name stands for one sprite, however often it is given
    a new one.
    """

    kind: Kind
    call: str
    name: str
    lines: Lines


@dataclass(frozen=True, slots=True)
class Update:
    """A sprite's property set, or its animation (`property` is `animation`).

    Code in a function that both the draw loop and the rest call is in the loop and outside of it.
    """

    sprite: str
    property: str
    lines: Lines
    in_draw: bool
    outside: bool


@dataclass(frozen=True, slots=True)
class Movement:
    """A sprite's place, speed or rotation changed in the draw loop.

    `counter`: the new value is the old one and something, or less something. `random`: it comes from randomNumber.
    `s.x += randomNumber(0, 3)` is both. Inside an `if`, `lines` are those of the outermost one.
    """

    pattern: Pattern
    sprite: str
    property: str
    lines: Lines


@dataclass(frozen=True, slots=True)
class Conditional:
    """An `if`, an `else if`, a `switch` or a `? :`, and what decides it: nothing where the test is constant."""

    triggers: frozenset[Trigger]
    lines: Lines
    in_draw: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A function with a name, other than `draw`. `in_draw`: its definition stands inside of draw."""

    name: str
    lines: Lines
    in_draw: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function called by its name, `f()` but not `a.f()`: Game Lab's own and the program's."""

    name: str
    lines: Lines
    in_draw: bool


@dataclass(frozen=True, slots=True)
class Features:
    """All of them, each in the order of the text. `draw` are the lines of the draw loop, None without one."""

    elements: tuple[Element, ...] = ()
    updates: tuple[Update, ...] = ()
    movements: tuple[Movement, ...] = ()
    conditionals: tuple[Conditional, ...] = ()
    functions: tuple[Function, ...] = ()
    calls: tuple[Call, ...] = ()
    draw: Lines | None = None

    def of_kind(self, *kinds: Kind) -> tuple[Element, ...]:
        """The elements of these kinds."""
        return tuple(element for element in self.elements if element.kind in kinds)

    def calls_of(self, names: frozenset[str]) -> tuple[Call, ...]:
        """The calls of Game Lab's functions of these names. One that the program defines anew is not Game Lab's."""
        built_in = names - {function.name for function in self.functions}
        return tuple(call for call in self.calls if call.name in built_in)

    def own_calls(self) -> tuple[Call, ...]:
        """The calls of functions that the program defines."""
        own = {function.name for function in self.functions}
        return tuple(call for call in self.calls if call.name in own)
