"""Which lines of a program speak for a label, and the words beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lib.assessment.program.measures import Shapes, different_shapes
from lib.assessment.program.model import Features, Kind, Lines, Trigger
from lib.assessment.program.words import VELOCITY

MOST = 200  # lines of evidence, more than anybody reads
LONGEST_NAME = 40
Said = Iterator[tuple[Lines, str]]
COUNTED: dict[Kind, str] = {"shape": "shape", "sprite": "sprite", "text": "line of text"}
DECIDED: dict[Trigger, str] = {
    "user": "user interaction",
    "variable": "variable value",
    "object": "object property value",
}


def evidence(features: Features, kinds: Iterable[str], shapes: Shapes) -> tuple[str, ...]:
    """`Line 3: ...` and `Lines 3-5: ...`, kind by kind in the order of the program, each once, at most `MOST`."""
    said: dict[str, None] = {}
    for lines, words in (each for kind in kinds for each in EVIDENCE[kind](features, shapes)):
        said[_line(lines, words)] = None
        if len(said) == MOST:
            break
    return tuple(said)


def _line(lines: Lines, words: str) -> str:
    first, last = lines
    return f"Line {first}: {words}" if first == last else f"Lines {first}-{last}: {words}"


def _number(count: int, noun: str) -> str:
    """`1 shape`, `2 shapes`, `2 lines of text`."""
    head, *tail = noun.split(" of ")
    return " of ".join([f"{count} {head}" if count == 1 else f"{count} {head}s", *tail])


def _different_shapes(features: Features, shapes: Shapes) -> Said:
    words = f"Code contains {_number(different_shapes(features, shapes), 'different shape')}"
    return ((call.lines, words) for call in features.calls_of(shapes))


def _elements(features: Features, _: Shapes) -> Said:
    return _counted(features, "shape", "sprite", "text")


def _sprites(features: Features, _: Shapes) -> Said:
    return _counted(features, "sprite")


def _counted(features: Features, *kinds: Kind) -> Said:
    words = {kind: f"Code contains {_number(len(features.of_kind(kind)), COUNTED[kind])}" for kind in kinds}
    return ((each.lines, words[each.kind]) for each in features.of_kind(*kinds))


def _sprites_and_others(features: Features, _: Shapes) -> Said:
    sprites = f"Code contains {_number(len(features.of_kind('sprite')), 'sprite')}"
    others = f"Code contains {_number(len(features.of_kind('shape', 'text')), 'non-sprite element')}"
    for each in features.of_kind("shape", "sprite", "text"):
        yield each.lines, sprites if each.kind == "sprite" else others


def _updates(features: Features, _: Shapes) -> Said:
    for each in features.updates:
        place = "in" if each.in_draw else "outside of"
        yield each.lines, f"Property {_name(each.sprite)}.{_name(each.property)} is updated {place} the draw loop"


def _movement(features: Features, _: Shapes) -> Said:
    for each in features.movements:
        yield each.lines, f"Movement of {_name(each.sprite)}.{each.property} by a {each.pattern} pattern"


def _conditionals(features: Features, _: Shapes) -> Said:
    for each in features.conditionals:
        if each.in_draw and each.triggers:
            words = [DECIDED[trigger] for trigger in DECIDED if trigger in each.triggers]
            yield each.lines, f"Conditional triggered by {' and '.join(words)}"


def _animations(features: Features, _: Shapes) -> Said:
    for each in features.updates:
        if each.outside and each.property == "animation":
            yield each.lines, f"Animation is set for sprite {_name(each.sprite)}"


def _velocities(features: Features, _: Shapes) -> Said:
    for each in features.updates:
        if each.outside and each.property in VELOCITY:
            yield each.lines, f"Velocity is set for sprite {_name(each.sprite)}"


def _functions(features: Features, _: Shapes) -> Said:
    return ((each.lines, f"Function {_name(each.name)} is defined") for each in features.functions if not each.in_draw)


def _calls(features: Features, _: Shapes) -> Said:
    return ((each.lines, f"Function {_name(each.name)} is called") for each in features.own_calls())


def _name(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."


EVIDENCE: dict[str, Callable[[Features, Shapes], Said]] = {
    "different_shapes": _different_shapes,
    "elements": _elements,
    "sprites": _sprites,
    "sprites_and_others": _sprites_and_others,
    "updates": _updates,
    "movement": _movement,
    "conditionals": _conditionals,
    "animations": _animations,
    "velocities": _velocities,
    "functions": _functions,
    "calls": _calls,
}
