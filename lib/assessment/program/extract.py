"""The features of a program, from what a reader found in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from lib.assessment.program.model import Call, Conditional, Element, Features, Function, Movement, Update
from lib.assessment.program.parse import parse
from lib.assessment.program.reader import TOP, Owner, Reader
from lib.assessment.program.words import DRAW

Item = TypeVar("Item", Update, Movement, Conditional, Call, Element)


def features(code: str) -> Features:
    """What is in a program, whatever the text is. Lines end with LF, CRLF or CR."""
    read = Reader(parse(code.replace("\r\n", "\n").replace("\r", "\n")))
    places = Places(read)
    defined = {function.name for function in read.functions}
    elements = tuple(_once(element for _, element in _each(read, Element) if element.call not in defined))
    sprites = {element.name for element in elements if element.kind == "sprite" and element.name}
    return Features(
        elements=elements,
        updates=tuple(
            replace(update, in_draw=owner in places.in_draw, outside=owner in places.outside)
            for owner, update in _each(read, Update)
            if update.sprite in sprites
        ),
        movements=tuple(
            movement
            for owner, movement in _each(read, Movement)
            if owner in places.in_draw and movement.sprite in sprites
        ),
        conditionals=tuple(replace(each, in_draw=owner in places.in_draw) for owner, each in _each(read, Conditional)),
        functions=tuple(_functions(read.functions, places)),
        calls=tuple(replace(call, in_draw=owner in places.in_draw) for owner, call in _each(read, Call)),
        draw=next((function.lines for function in read.functions if function.name == DRAW), None),
    )


class Places:
    """Which functions run where, by their numbers; `TOP` is the code in none.

    `nested` are draw and all that is defined inside of it. `in_draw` are these and what they call, directly or not.
    `outside` is what the rest of the program calls, and what nobody calls.
    """

    def __init__(self, read: Reader) -> None:
        self._numbers, self._uses = defaultdict[str, set[int]](set), defaultdict[int, set[str]](set)
        for number, function in enumerate(read.functions):
            self._numbers[function.name].add(number)
        for owner, name in read.uses:
            if name in self._numbers:
                self._uses[owner].add(name)
        self.nested = _nested(read.functions)
        self.in_draw = self._reached(self.nested, set())
        self.outside = {TOP, *range(len(read.functions))} - self.in_draw | self._reached({TOP}, self.nested)

    def _reached(self, start: set[int], barred: set[int]) -> set[int]:
        reached, waiting, names = set(start), list(start), set[str]()
        while waiting:
            new = self._uses[waiting.pop()] - names
            names |= new
            for name in new:
                functions = self._numbers[name] - reached - barred
                reached |= functions
                waiting += functions
        return reached


def _nested(functions: list[Owner]) -> set[int]:
    """Draw and what is defined inside of it. A function comes after the one around it."""
    nested = set[int]()
    for number, function in enumerate(functions):
        if function.name == DRAW or function.owner in nested:
            nested.add(number)
    return nested


def _functions(functions: list[Owner], places: Places) -> Iterator[Function]:
    for number, function in enumerate(functions):
        if function.name != DRAW and "." not in function.name:
            yield Function(function.name, function.lines, in_draw=number in places.nested)


def _each(read: Reader, kind: type[Item]) -> Iterator[tuple[int, Item]]:
    return ((owner, found) for owner, found in read.found if isinstance(found, kind))


def _once(elements: Iterable[Element]) -> Iterator[Element]:
    """Without the sprites whose name already has one."""
    named = set[str]()
    for element in elements:
        if element.kind == "sprite" and element.name:
            if element.name in named:
                continue
            named.add(element.name)
        yield element
