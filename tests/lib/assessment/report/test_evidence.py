"""Lines are found in evidence however it is put, and nothing of its text is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.assessment.report.evidence import Piece, cited, pieces


@pytest.mark.parametrize(("evidence", "named"), [
    ("Line 3: `if`", {3}),
    ("Lines 3-5: a loop", {3, 4, 5}),
    ("lines 3\u20135 hold a loop", {3, 4, 5}),
    ("Lines 5-3: the wrong way round", {3, 4, 5}),
    ("Line 1: a. Lines 4-5: b. Line 9: c", {1, 4, 5, 9}),
    ("Lines 1, 4-5 and 9: all of them", {1, 4, 5, 9}),
    ("Lines 1, 4, and 9: all of them", {1, 4, 9}),
    ("Lines 1-5: a, lines 2-3: b, lines 4-7: c", {1, 2, 3, 4, 5, 6, 7}),
    ("Line 1, 2 sprites are made", {1}),
    ("Lines 8-20: to the end and beyond it", {8, 9, 10}),
    ("Line 11: none such", set()),
    ("Line 0: none such", set()),
    ("Lines 20-30: none such", set()),
    ("The outline 3 is nice; line three too", set()),
    ("Lines 99999999: too many digits", set()),
    ("", set()),
])  # fmt: skip
def test_lines(evidence: str, named: set[int]) -> None:
    assert cited(pieces(evidence, 10)) == named


def test_pieces() -> None:
    assert pieces("See Lines 3-4: x, line 99", 10) == (
        Piece("See "), Piece("Lines 3-4", 3, 4), Piece(": x, "), Piece("line 99", missing=True),
    )  # fmt: skip


WORDS = ["Line ", "Lines ", "lines", " ", "-", ",", " and ", ":", "0", "3", "12", "\u2013", "`x`", "999999"]


@given(st.lists(st.sampled_from(WORDS)).map("".join) | st.text(), st.integers(0, 20))
def test_no_text_is_lost_and_no_line_made_up(evidence: str, lines: int) -> None:
    found = pieces(evidence, lines)
    assert "".join(piece.text for piece in found) == evidence
    assert all(1 <= line <= lines for line in cited(found))
