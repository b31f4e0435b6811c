"""Tables as CSV (RFC 4180), made so that no spreadsheet takes a cell for a formula."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

BLOCK = 500  # rows that are written at once, so that other calls of the worker have their turn
_RISKY = re.compile(r"[=+\-@\t\r\n]")  # OWASP, "CSV Injection"
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def table(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> bytes:
    """The whole table with its heads. Absent values are empty cells, objects are JSON, halves of characters are `?`."""
    return b"".join(_blocks(columns, iter(rows)))


def _blocks(columns: Sequence[str], rows: Iterator[Iterable[Any]]) -> Iterator[bytes]:
    yield _written([columns])
    while block := list(islice(rows, BLOCK)):
        yield _written(block)
        time.sleep(0)


def _written(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def _cell(value: Any) -> Any:
    if value is None or type(value) is int:
        return value
    if isinstance(value, str):
        return f"'{value}" if _RISKY.match(value) and not _NUMBER.fullmatch(value) else value
    return msgspec.json.encode(value).decode()
