"""confidence.json and confidence-exact.json by the rules of the website, and the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.assessment import EXTENSIVE, LABELS, NO
from lib.assessment.measure import (
    InputError,
    check_thresholds,
    confidence_json,
    exact_confidence,
    misses,
    pass_fail_confidence,
    read_thresholds,
)
from tests.lib.assessment.measure.shared import measured, write


@pytest.mark.parametrize(("right", "of", "level"), [
    (18, 20, "HIGH"),
    (17, 20, "HIGH"),
    (16, 20, "MEDIUM"),
    (15, 20, "LOW"),
    (84, 100, "MEDIUM"),
    (79, 100, "LOW"),
    (0, 0, "LOW"),
])  # fmt: skip
def test_levels_by_concept(right: int, of: int, level: str) -> None:
    found = measured([("E", "C")] * right + [("N", "C")] * (of - right))
    assert pass_fail_confidence(found) == {"Loops": level}


@pytest.mark.parametrize(("right", "of", "level"), [
    (17, 19, "HIGH"),
    (9, 10, "HIGH"),
    (15, 17, "HIGH"),
    (22, 25, "HIGH"),
    (14, 16, "LOW"),
    (9, 9, "LOW"),
    (8, 10, "LOW"),
])  # fmt: skip
def test_levels_by_label(right: int, of: int, level: str) -> None:
    found = exact_confidence(measured([("E", "E")] * right + [("N", "E")] * (of - right)))
    assert found == {"Loops": {label: level if label == EXTENSIVE else "LOW" for label in LABELS}}


def test_it_is_the_predicted_label_that_counts() -> None:
    found = exact_confidence(measured([("E", "E")] * 10 + [("E", "N")] * 10))["Loops"]
    assert (found[EXTENSIVE], found[NO]) == ("HIGH", "LOW")


def test_the_file() -> None:
    assert confidence_json({"Loops": "HIGH"}) == b'{\n  "Loops": "HIGH"\n}\n'


# ---- the gate ----

THRESHOLDS = '{"L1": {"overall": 0.7, "key_concepts": {"Loops": 0.5}}}'


@pytest.mark.parametrize(("right", "missed"), [(4, [None, "Loops"]), (5, [None]), (6, [None]), (7, []), (10, [])])
def test_what_is_missed(tmp_path: Path, right: int, missed: list[str | None]) -> None:
    thresholds = read_thresholds(write(tmp_path / "t.json", THRESHOLDS))
    found = misses(measured([("E", "E")] * right + [("E", "N")] * (10 - right)), thresholds["L1"])
    assert [miss.concept for miss in found] == missed


def test_nothing_graded_misses_everything(tmp_path: Path) -> None:
    thresholds = read_thresholds(write(tmp_path / "t.json", THRESHOLDS))
    assert [str(miss) for miss in misses(measured([("E", "")]), thresholds["L1"])] == [
        "L1: overall: nothing was graded, wanted 0.7",
        "L1: Loops: nothing was graded, wanted 0.5",
    ]


@pytest.mark.parametrize(("text", "words"), [
    ("{", "t.json"),
    ('{"L1": {"overall": 70}}', "<= 1"),
    ('{"L1": {"overal": 0.7}}', "overal"),
    ("{}", "no threshold for L1"),
    ('{"L1": {}}', "no threshold for L1"),
    ('{"L1": {"key_concepts": {"Loop": 0.7}}}', "does not have: Loop"),
])  # fmt: skip
def test_thresholds_that_cannot_be_meant(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_thresholds(read_thresholds(write(tmp_path / "t.json", text)), "L1", ("Loops",))


def test_no_file_of_thresholds(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_thresholds(tmp_path / "absent.json")
