"""Accuracy and confusion by concept and overall, and what two experiments have to say to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.assessment import LABELS
from lib.assessment.measure import EXACT, PASS_FAIL, Measured, agreement, compare
from tests.lib.assessment.measure.shared import measured

LETTERS = st.text("ECLN", min_size=2, max_size=2)
CLASSES = st.lists(st.tuples(LETTERS, LETTERS), max_size=30)
TWO = ("Loops", "Ifs")


def test_by_concept_and_overall() -> None:
    found = agreement(measured([("EC", "EE"), ("LN", "LL"), ("NE", "CE")], concepts=TWO), EXACT)
    assert (found.overall.right, found.overall.total) == (3, 6)
    assert {concept: each.right for concept, each in found.by_concept.items()} == {"Loops": 2, "Ifs": 1}
    assert found.matrices["Ifs"] == ((1, 0, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0))
    assert found.labels == LABELS


@pytest.mark.parametrize(
    ("human", "ai", "same"), [("E", "C", 1), ("L", "N", 1), ("C", "L", 0), ("N", "E", 0), ("E", "E", 1)]
)
def test_pass_or_fail(human: str, ai: str, same: int) -> None:
    assert agreement(measured([(human, ai)]), PASS_FAIL).overall.right == same


def test_rows_are_the_humans() -> None:
    assert agreement(measured([("E", "L")]), PASS_FAIL).matrix == ((0, 1), (0, 0))


def test_programs_without_grades_do_not_count() -> None:
    found = agreement(measured([("E", "E"), ("E", "")]), EXACT)
    assert (found.overall.right, found.overall.total) == (1, 1)


def test_nothing_graded() -> None:
    assert agreement(measured([]), EXACT).by_concept["Loops"].share is None


@given(CLASSES)
def test_matrices_sum_up(found: list[tuple[str, str]]) -> None:
    for mode in (EXACT, PASS_FAIL):
        result = agreement(measured(found, concepts=TWO), mode)
        size = range(len(result.labels))
        assert sum(map(sum, result.matrix)) == result.overall.total == 2 * len(found)
        assert sum(result.matrix[at][at] for at in size) == result.overall.right
        assert result.matrix == tuple(
            tuple(sum(each[row][column] for each in result.matrices.values()) for column in size) for row in size
        )


@given(CLASSES)
def test_pass_or_fail_agrees_where_labels_do(found: list[tuple[str, str]]) -> None:
    result = measured(found, concepts=TWO)
    assert agreement(result, PASS_FAIL).overall.right >= agreement(result, EXACT).overall.right


# ---- two experiments ----


def both(triples: list[tuple[str, str, str]]) -> tuple[Measured, Measured]:
    return measured([(a, b) for a, b, _ in triples], "A"), measured([(a, c) for a, _, c in triples], "B")


@pytest.mark.parametrize(("gained", "lost", "verdict"), [
    (10, 0, "better"),
    (0, 10, "worse"),
    (5, 5, "no difference shown"),
    (3, 0, "no difference shown"),
    (0, 0, "no difference shown"),
])  # fmt: skip
def test_whether_it_is_more_than_chance(gained: int, lost: int, verdict: str) -> None:
    found = compare(*both([("E", "N", "E")] * gained + [("E", "E", "N")] * lost + [("E", "E", "E")] * 4), EXACT)
    change = found.by_concept["Loops"]
    assert (found.first, found.second) == ("A", "B")
    assert (change.gained, change.lost, change.verdict) == (gained, lost, verdict)
    assert change.second.right - change.first.right == gained - lost


def test_only_what_both_graded_counts() -> None:
    first, second = measured([("E", "E"), ("E", "")], "A"), measured([("E", ""), ("E", "E")], "B")
    assert compare(first, second, EXACT).overall.first.total == 0


@given(st.lists(st.tuples(*[st.sampled_from("ECLN")] * 3), max_size=30))
def test_the_other_way_round_all_is_mirrored(triples: list[tuple[str, str, str]]) -> None:
    first, second = both(triples)
    there, back = compare(first, second, EXACT).overall, compare(second, first, EXACT).overall
    assert (there.gained, there.lost, there.p) == (back.lost, back.gained, back.p)
    assert there.first == back.second
