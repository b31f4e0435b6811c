"""JSON and CSV of a measured lesson."""

from __future__ import annotations

import csv
import io
import json

import msgspec

from lib.assessment import LABELS
from lib.assessment.measure import Measured
from lib.assessment.report import as_csv, as_json
from tests.lib.assessment.report.samples import measured


def rows(lesson: Measured) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(lesson).decode(), newline="")))


def test_json() -> None:
    told = json.loads(as_json(measured(failing="student_05")))
    assert (told["lesson"], told["exact"]["labels"], told["higher"], told["lower"]) == (
        "csd3-2023-L18", list(LABELS), 3, 9,
    )  # fmt: skip
    assert told["counts"] == {
        "programs": 12, "graded": 11, "failed": 1, "not_asked": 0, "cached": 0, "without_price": 0,
    }  # fmt: skip
    assert told["exact"]["overall"]["right"] == told["exact"]["overall"]["total"] - 12 == 32
    assert sum(map(sum, told["exact"]["matrix"])) == 44
    assert "source" not in told["programs"][0]


def test_csv_has_a_row_for_each_program_and_concept() -> None:
    found = rows(measured(failing="student_05"))
    assert len(found) == 48
    told = json.loads(as_json(measured(failing="student_05")))
    assert sum(row["same_label"] == "true" for row in found) == told["exact"]["overall"]["right"]
    assert sum(row["same_side"] == "true" for row in found) == told["pass_fail"]["overall"]["right"]
    failed = [row for row in found if row["student"] == "student_05"]
    assert [(row["ai"], row["same_label"], row["error"][:9]) for row in failed] == [("", "", "The model")] * 4
    assert {row["human"] for row in failed} <= set(LABELS)


def test_no_cell_is_a_formula() -> None:
    lesson = measured()
    program = msgspec.structs.replace(lesson.programs[0], student="=HYPERLINK(1)", error="@SUM(1)", predicted=())
    row = rows(msgspec.structs.replace(lesson, programs=(program,)))[0]
    assert (row["student"], row["error"]) == ("'=HYPERLINK(1)", "'@SUM(1)")
