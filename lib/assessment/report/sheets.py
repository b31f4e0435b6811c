"""Programs as the page shows them: their lines beside the evidence that names them, disagreements first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from lib.assessment.measure import Measured
from lib.assessment.report.evidence import Piece, cited, pieces
from lib.assessment.report.facts import Facts, Grade, Program

MOST_LINES = 3000  # of a program that are shown
MOST_WIDTH = 1000  # characters of a line


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a program. `marks` are the letters of the concepts whose evidence names it.

    `differs` says that one of these is a disagreement.
    """

    number: int
    text: str
    marks: tuple[str, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A grade with the letter of its concept, and its evidence in pieces."""

    letter: str
    grade: Grade
    evidence: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A program with its grades. `key` is its own in the page, `hidden` the number of lines that are not shown."""

    key: str
    program: Program
    lines: tuple[Line, ...]
    hidden: int
    differing: tuple[Card, ...]
    agreeing: tuple[Card, ...]


def sheets(measured: Measured, found: Facts) -> list[Sheet]:
    """Every program, the farthest off first, and those with the same distance in their own order."""
    letters = {concept: letter(number) for number, concept in enumerate(measured.concepts)}
    both = zip(measured.programs, found.programs, strict=True)
    made = [sheet(f"p{number}", given.source, program, letters) for number, (given, program) in enumerate(both, 1)]
    return sorted(made, key=lambda sheet: -sheet.program.off)


def sheet(key: str, source: str, program: Program, letters: dict[str, str]) -> Sheet:
    """One program. `letters` are those of the concepts."""
    texts = split(source)
    cards = [
        Card(letters.get(grade.concept, "?"), grade, pieces(grade.evidence, len(texts))) for grade in program.grades
    ]
    return Sheet(
        key,
        program,
        _lines(texts, cards),
        max(0, len(texts) - MOST_LINES),
        tuple(sorted((card for card in cards if card.grade.steps), key=lambda card: -abs(card.grade.steps or 0))),
        tuple(card for card in cards if not card.grade.steps),
    )


def split(source: str) -> list[str]:
    """The lines of a program, as editors number them."""
    lines = re.split(r"\r\n?|\n", source)
    return lines[:-1] if lines[-1] == "" else lines


def letter(number: int) -> str:
    """A to Z, then AA, AB and so on. `number` counts from 0."""
    more, last = divmod(number, len(ascii_uppercase))
    return (letter(more - 1) if more else "") + ascii_uppercase[last]


def _lines(texts: Sequence[str], cards: Sequence[Card]) -> tuple[Line, ...]:
    named = [(card, cited(card.evidence)) for card in cards]
    return tuple(_line(number, text, named) for number, text in enumerate(texts[:MOST_LINES], 1))


def _line(number: int, text: str, named: Iterable[tuple[Card, frozenset[int]]]) -> Line:
    here = [card for card, lines in named if number in lines]
    shown = text if len(text) <= MOST_WIDTH else f"{text[:MOST_WIDTH]} \u2026"
    return Line(number, shown, tuple(card.letter for card in here), any(card.grade.steps for card in here))
