"""Tables for a terminal."""

from __future__ import annotations

import pytest

from lib.cli.text_table import aligned


@pytest.mark.parametrize(("rows", "numbers", "lines"), [
    ([], False, []),
    ([("a", "b"), ("ccc", "")], False, ["a    b", "ccc"]),
    ([("a", "10", "2"), ("b", "1", "20")], True, ["a  10   2", "b   1  20"]),
    ([("one",)], True, ["one"]),
])  # fmt: skip
def test_cells_stand_below_each_other(rows: list[tuple[str, ...]], numbers: bool, lines: list[str]) -> None:
    assert list(aligned(rows, numbers=numbers)) == lines
