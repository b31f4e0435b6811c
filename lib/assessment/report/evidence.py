"""Evidence as models and the analyser write it, taken apart into words and the lines that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SPAN = r"\d{1,6}(?: ?[-\u2010-\u2014] ?\d{1,6})?"
_NAMED = re.compile(rf"\blines? (?:{_SPAN}(?:(?:,|,? and|,? &) {_SPAN})+(?=:)|{_SPAN})", re.IGNORECASE)
_NUMBERS = re.compile(_SPAN)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text. With `first` and `last` (from 1) it names lines of the program.

    `missing` pieces name lines that the program does not have.
    """

    text: str
    first: int = 0
    last: int = 0
    missing: bool = False


def pieces(evidence: str, lines: int) -> tuple[Piece, ...]:
    """The evidence in pieces, which together are its text. `lines` is how many lines the program has.

    Named are `Line 3`, `Lines 3-5`, and several of them when a colon follows: `Lines 3, 5-7 and 9:`.
    """
    return tuple(piece for piece in _pieces(evidence, lines) if piece.text)


def cited(parts: Iterable[Piece]) -> frozenset[int]:
    """The numbers of the lines that the pieces name."""
    found: set[int] = set()
    end = 0  # so that ranges which overlap, however many, are walked once
    for first, last in sorted((piece.first, piece.last) for piece in parts if piece.first):
        found.update(range(max(first, end + 1), last + 1))
        end = max(end, last)
    return frozenset(found)


def _pieces(evidence: str, lines: int) -> Iterator[Piece]:
    end = 0
    for named in _NAMED.finditer(evidence):
        word = named.start()  # so that the word `Lines` belongs to the first of its numbers
        for span in _NUMBERS.finditer(evidence, named.start(), named.end()):
            start = word if word == named.start() else span.start()
            yield Piece(evidence[end:start])
            yield _piece(evidence[start : span.end()], span[0], lines)
            end, word = span.end(), -1
    yield Piece(evidence[end:])


def _piece(text: str, span: str, lines: int) -> Piece:
    numbers = [int(number) for number in re.findall(r"\d+", span)]
    first, last = min(numbers), min(max(numbers), lines)
    if not 1 <= first <= last:
        return Piece(text, missing=True)
    return Piece(text, first, last)
