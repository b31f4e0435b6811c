r"""Tables in a text: with tabs (also written as `\t`), with pipes, with commas and quotes.

A line whose cells have the column of concepts begins a table, which goes on to the next such line. One that can be
read in several ways is given in each; whoever compares them sees whether that matters.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import pairwise, takewhile

Row = list[tuple[str, str]]
Head = Callable[[list[str]], bool]
Split = Callable[[list[str]], list[list[str]]]

MOST_TABLES = 20
MOST_ROWS = 500
MOST_LINES = 5000
_FENCE = re.compile(r"\s*(?:```|~~~)")
_PIPE = re.compile(r"(?<!\\)\|")
_TABS = re.compile(r"\t+")
_LABELS = frozenset({"extensive evidence", "convincing evidence", "limited evidence", "no evidence"})


def tables(text: str, is_header: Head) -> Iterator[list[Row]]:
    """The tables of a text, in every way they can be read."""
    lines = re.split(r"\r\n|\r|\n", text)
    if len(lines) > MOST_LINES:
        return
    for split in _SPLITS:
        heads = [at for at, line in enumerate(lines) if _is_head(line, split, is_header)]
        if len(heads) <= MOST_TABLES:
            for begin, end in pairwise([*heads, len(lines)]):
                yield from _read(lines[begin:end], split)


def _is_head(line: str, split: Split, is_header: Head) -> bool:
    return "concept" in line.casefold() and any(len(cells) > 1 and is_header(cells) for cells in split([line]))


def _read(lines: list[str], split: Split) -> Iterator[list[Row]]:
    """A table to its end, and to where it seems to end before."""
    whole = list(takewhile(lambda line: not _FENCE.match(line), lines))
    short = list(takewhile(str.strip, whole))
    for part in [whole] if len(short) == len(whole) else [short, whole]:
        header, *rows = split(part) or [[]]
        if header and len(rows) <= MOST_ROWS:
            yield [row for cells in rows if (row := _row(header, cells))]


def _row(header: list[str], cells: list[str]) -> Row | None:
    """A row by the names of its columns; None for a line that is none.

    A line with other cells than its header has only its first one, and so no grade. Cells may be missing at the end,
    but not so that a label could be in another place than its own.
    """
    if len(cells) > len(header) and not any(map(str.strip, cells[len(header) :])):
        cells = cells[: len(header)]
    if len(cells) < 2:
        return None
    missing = len(header) - len(cells)
    if missing < 0 or (missing and sum(map(_is_label, cells)) != 1):
        return [(header[0], _unquoted(cells[0]))]
    return list(zip(header, map(_unquoted, cells + [""] * missing), strict=True))


def _is_label(cell: str) -> bool:
    return cell.strip(' "*').casefold() in _LABELS


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    return cell[1:-1].strip() if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


# ---- from lines to cells ----


def _tabs(lines: list[str]) -> list[list[str]]:
    return [line.strip(" ").split("\t") for line in lines if line.strip()]


def _runs_of_tabs(lines: list[str]) -> list[list[str]]:
    return [_TABS.split(line.strip()) for line in lines if line.strip()]


def _written(split: Split) -> Split:
    """The same for tabs that are written as a backslash and a letter."""
    return lambda lines: split([line.replace("\\t", "\t") for line in lines])


def _pipes(lines: list[str]) -> list[list[str]]:
    return [_between_pipes(line.strip()) for line in lines if "|" in line]


def _between_pipes(line: str) -> list[str]:
    cells = [cell.strip().replace("\\|", "|") for cell in _PIPE.split(line)]
    cells = cells[1:] if line.startswith("|") else cells
    return cells[:-1] if line.endswith("|") and not line.endswith("\\|") else cells


def _quoted(delimiter: str) -> Split:
    """Cells as csv has them: in quotes they may hold the delimiter and line ends."""

    def split(lines: list[str]) -> list[list[str]]:
        reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, skipinitialspace=True, strict=True)
        try:
            return [cells for cells in reader if any(map(str.strip, cells))]
        except csv.Error:
            return []

    return split


_SPLITS: tuple[Split, ...] = (
    _tabs,
    _runs_of_tabs,
    _written(_tabs),
    _written(_runs_of_tabs),
    _quoted("\t"),
    _pipes,
    _quoted(","),
)
