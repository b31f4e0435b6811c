"""Programs beside their evidence."""

from __future__ import annotations

import pytest

from lib.assessment.report.facts import facts
from lib.assessment.report.sheets import MOST_LINES, MOST_WIDTH, letter, sheet, sheets, split
from tests.lib.assessment.report.samples import measured


def test_the_farthest_off_comes_first() -> None:
    lesson = measured()
    found = sheets(lesson, facts(lesson))
    assert [one.program.off for one in found][:4] == [4, 2, 2, 1]
    assert [one.program.student for one in found][:3] == ["student_09", "student_10", "student_12"]
    assert [card.grade.steps for card in found[0].differing] == [2, 1, -1]


def test_lines_know_their_concepts() -> None:
    lesson = measured()
    lines = sheets(lesson, facts(lesson))[0].lines
    assert [(line.marks, line.differs) for line in lines[7:12]] == [
        (("B",), True), ((), False), ((), False), (("C", "D"), True), (("A", "C", "D"), True),
    ]  # fmt: skip


@pytest.mark.parametrize(("source", "lines"), [
    ("", []), ("a", ["a"]), ("a\n", ["a"]),
    ("a\r\nb\rc\n\nd", ["a", "b", "c", "", "d"]),
    ("a\x0bb\u2028c", ["a\x0bb\u2028c"]),
])  # fmt: skip
def test_split(source: str, lines: list[str]) -> None:
    assert split(source) == lines


def test_letters() -> None:
    assert [letter(number) for number in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]


def test_junk_is_cut() -> None:
    lesson = measured()
    found = sheet("p1", "x\n" * (MOST_LINES + 5) + "y" * 10_000, facts(lesson).programs[0], {})
    assert (len(found.lines), found.hidden) == (MOST_LINES, 6)
    found = sheet("p1", "y" * 10_000, facts(lesson).programs[0], {})
    assert len(found.lines[0].text) == MOST_WIDTH + 2
