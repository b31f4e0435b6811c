"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence


def aligned(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> Iterator[str]:
    """A line for each row, its cells in columns two blanks apart. `numbers`: all but the first are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rest: Callable[[str, int], str] = str.rjust if numbers else str.ljust
    for first, *others in rows:
        cells = [rest(cell, width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()
