"""What the echo answers where a program is to be graded: labels that look like grades and are none.

A conversation asks for grades when its system text holds a rubric: CSV whose header begins with `Key Concept`. A
program that holds such a header itself is repeated like any other text: so an answer can be dictated.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from hashlib import sha256

import msgspec

_HEADER = "Key Concept"
_LABELS = ("Extensive Evidence", "Convincing Evidence", "Limited Evidence", "No Evidence")
_OBSERVATIONS = "The echo did not read the program."
_REASON = "The echo takes a label by a hash of the program and the concept."


def graded(system: str, program: str) -> str | None:
    """A JSON array with a row for each concept of the rubric; None when no grades are asked for, or are dictated."""
    if _HEADER in program:
        return None
    concepts = list(_concepts(system))
    if not concepts:
        return None
    return msgspec.json.encode([_row(concept, program) for concept in concepts]).decode()


def _row(concept: str, program: str) -> dict[str, str]:
    drawn = sha256(f"{concept}\n{program}".encode()).digest()[0]
    return {
        _HEADER: concept,
        "Observations": _OBSERVATIONS,
        "Evidence": "Line 1: the first line" if program else "",
        "Label": _LABELS[drawn % len(_LABELS)],
        "Reason": _REASON,
    }


def _concepts(system: str) -> Iterator[str]:
    """The column of concepts of the first rubric in a text; it ends at a blank line."""
    lines = iter(system.splitlines(keepends=True))
    header = next((cells for line in lines if _HEADER in (cells := _cells(line)) and len(cells) > 1), None)
    if header is None:
        return
    at = header.index(_HEADER)
    try:
        for cells in csv.reader(lines, skipinitialspace=True):
            if not cells:
                return
            if len(cells) > at and cells[at].strip():
                yield cells[at].strip()
    except csv.Error:
        return


def _cells(line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])] if _HEADER in line else []
    except csv.Error:
        return []
