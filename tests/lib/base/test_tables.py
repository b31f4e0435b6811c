"""CSV that readers read back, and no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base import table
from lib.base.tables import BLOCK


def read(made: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(made.decode(), newline="")))


@pytest.mark.parametrize(("value", "cell"), [
    (None, ""), (7, "7"), (-7, "-7"), (True, "true"), (False, "false"), ({"a": "b"}, '{"a":"b"}'), ("a", "a"),
    ("-1.5", "-1.5"), ("+1", "+1"), ("0.00", "0.00"),
    ("=1+1", "'=1+1"), ("+1-1", "'+1-1"), ("-", "'-"), ("-1e5", "'-1e5"), ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("\n=1", "'\n=1"), ("a\ud800", "a?"), ("a=1", "a=1"), ("'=1", "'=1"),
])  # fmt: skip
def test_cells(value: Any, cell: str) -> None:
    assert read(table(["head"], [[value]])) == [["head"], [cell]] if cell else [["head"], []]


def test_lines_end_as_rfc_4180_says() -> None:
    assert table(["a", "b"], [["x,y", 'say "hi"'], ["1\n2", None]]) == b'a,b\r\n"x,y","say ""hi"""\r\n"1\n2",\r\n'


def test_many_rows() -> None:
    found = read(table(["n"], ([n] for n in range(2 * BLOCK + 1))))
    assert found == [["n"], *([str(n)] for n in range(2 * BLOCK + 1))]


@given(st.lists(st.tuples(st.text(), st.text(min_size=1)), max_size=5))
def test_what_was_written_is_read(rows: list[tuple[str, str]]) -> None:
    found = read(table(["a", "b"], rows))[1:]
    assert [[cell.removeprefix("'") for cell in row] for row in found] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell[:1] in tuple("=@\t\r\n") for row in found for cell in row if cell)
