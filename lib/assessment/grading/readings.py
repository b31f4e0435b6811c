"""Every way to read an answer as rows: JSON objects in arrays and by themselves, tables with tabs, pipes or commas.

Nothing is decided here. An answer may hold prose, fences, drafts; a table may be read with its quotes or without, to
the next blank line or to the end. Each reading is a list of rows with the known columns alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from lib.assessment.grading.names import bare
from lib.assessment.grading.tables import MOST_ROWS, tables
from lib.assessment.grading.unusable import Unusable
from lib.assessment.rubric import CONCEPT

Cells = dict[str, Any]
Reading = list[Cells]

MOST_ANSWER = 200_000  # characters of an answer
MOST_ARRAYS = 200  # beginnings of arrays, and of objects, that are tried in vain
MOST_TRIED = 10 * MOST_ANSWER  # characters of these, which may lie in one another
COLUMNS = {
    "key concept": CONCEPT,
    "observations": "Observations",
    "evidence": "Evidence",
    "label": "Label",
    "grade": "Label",
    "reason": "Reason",
}


class _Pairs(list[tuple[str, Any]]):
    """A JSON object, with keys that are there twice."""


def readings(text: str) -> Iterator[Reading]:
    """The readings of an answer that have the column of concepts. Raises `Unusable` for one that is too long."""
    if len(text) > MOST_ANSWER:
        raise Unusable("the answer is too long")
    json_rows: Iterable[Iterable[Iterable[tuple[str, Any]]]] = chain(_arrays(text), _objects(text))
    for rows in chain(json_rows, tables(text, _is_header)):
        reading = [cells for row in rows if (cells := _cells(row)) and not _is_junk(cells)]
        if any(CONCEPT in cells for cells in reading):
            yield reading


def _is_header(cells: list[str]) -> bool:
    return any(_column(cell) == CONCEPT for cell in cells)


def _column(name: str) -> str | None:
    return COLUMNS.get(bare(name).casefold())


def _cells(row: Iterable[tuple[str, Any]]) -> Cells:
    """The known columns of a row. One that is there twice, with two values, has the value None."""
    cells: Cells = {}
    for name, value in row:
        column = _column(name)
        if column is not None:
            cells[column] = None if column in cells and cells[column] != value else value
    return cells


def _is_junk(cells: Cells) -> bool:
    """Whether a row is a line of dashes or the like."""
    concept = cells.get(CONCEPT)
    return isinstance(concept, str) and not any(character.isalnum() for character in concept)


def _arrays(text: str) -> Iterator[list[_Pairs]]:
    """The arrays of objects in a text, the outermost ones."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, strict=False)
    at, in_vain, tried = text.find("["), 0, 0
    while at >= 0 and in_vain < MOST_ARRAYS and tried < MOST_TRIED:
        end = at + 1
        try:
            value, after = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            in_vain, tried = in_vain + 1, tried + error.pos - at
        except (ValueError, RecursionError):
            in_vain += 1
        else:
            if 0 < len(value) <= MOST_ROWS and all(isinstance(each, _Pairs) for each in value):
                yield value
                end = after
            elif not any(isinstance(each, list) for each in value):
                end = after
            else:
                tried += after - at
        at = text.find("[", end)


def _objects(text: str) -> Iterator[list[_Pairs]]:
    """The objects in a text that stand in no other, together: JSON lines, or an array with a fault between them."""
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, strict=False)
    found: list[_Pairs] = []
    at, in_vain, tried = text.find("{"), 0, 0
    while at >= 0 and in_vain < MOST_ARRAYS and tried < MOST_TRIED and len(found) < MOST_ROWS:
        end = at + 1
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            in_vain, tried = in_vain + 1, tried + error.pos - at
        except (ValueError, RecursionError):
            in_vain += 1
        else:
            found.append(value)
        at = text.find("{", end)
    if at < 0:  # else there may be other grades in what was not read
        yield found
