"""The figures against published values, and against what must hold for any counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.assessment import CONVINCING, EXTENSIVE, LABELS, LIMITED, NO
from lib.assessment.measure import Accuracy, accuracy, confusion, mcnemar, same_label, same_side, steps, wilson


@pytest.mark.parametrize(("right", "total", "low", "high"), [
    (81, 263, 0.2553, 0.3662),  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0, 0.1611),
    (1, 29, 0.0061, 0.1718),
    (20, 20, 0.8389, 1.0),
])  # fmt: skip
def test_wilson(right: int, total: int, low: float, high: float) -> None:
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_interval_holds_the_share(counts: tuple[int, int]) -> None:
    low, high = wilson(*counts)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1
    assert low < high


def test_accuracy() -> None:
    assert accuracy([]) == Accuracy(0, 0, None, None, None)
    found = accuracy([True, False, True, True])
    assert (found.right, found.total, found.share) == (3, 4, 0.75)


@pytest.mark.parametrize(("gained", "lost", "p"), [
    (0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (2, 10, 0.03857421875), (6, 4, 0.75390625),
])  # fmt: skip
def test_mcnemar(gained: int, lost: int, p: float) -> None:
    assert mcnemar(gained, lost) == pytest.approx(p)
    assert mcnemar(lost, gained) == mcnemar(gained, lost)


def test_mcnemar_of_many() -> None:
    assert 0 <= mcnemar(20_000, 10_000) < 1e-9


def test_sides_and_steps() -> None:
    assert [same_side(EXTENSIVE, label) for label in LABELS] == [True, True, False, False]
    assert [same_label(LIMITED, label) for label in LABELS] == [False, False, True, False]
    assert [steps(LIMITED, label) for label in LABELS] == [2, 1, 0, -1]


def test_confusion_has_humans_in_rows() -> None:
    found = confusion([(EXTENSIVE, NO), (EXTENSIVE, NO), (CONVINCING, CONVINCING)])
    assert found == ((0, 0, 0, 2), (0, 1, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))
    assert confusion([("Fail", "Pass")], ("Pass", "Fail")) == ((0, 0), (1, 0))
