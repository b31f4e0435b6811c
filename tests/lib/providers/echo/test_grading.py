"""The echo where a program is to be graded: labels for every concept, by a hash, or what the program dictates."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.providers.echo.grading import graded

RUBRIC = 'Key Concept,Extensive Evidence,No Evidence\nLoops,"a, b\n\nc",d\n"Colours, and more",x,y\n'
SYSTEM = (
    f"Grade it.\nKey Concept: what counts, and how.\n\nRubric:\n{RUBRIC}\n\nAnswer with JSON.\nKey Concept: its name"
)
LABELS = {"Extensive Evidence", "Convincing Evidence", "Limited Evidence", "No Evidence"}


def test_every_concept_gets_a_label() -> None:
    rows = json.loads(graded(SYSTEM, "var a;") or "")
    assert [row["Key Concept"] for row in rows] == ["Loops", "Colours, and more"]
    assert {row["Label"] for row in rows} <= LABELS
    assert set(rows[0]) == {"Key Concept", "Observations", "Evidence", "Label", "Reason"}


def test_the_same_program_gets_the_same_labels_and_others_get_others() -> None:
    assert graded(SYSTEM, "var a;") == graded(SYSTEM, "var a;")
    given = {row["Label"] for at in range(40) for row in json.loads(graded(SYSTEM, f"var a{at};") or "")}
    assert given == LABELS


def test_it_says_that_it_does_not_grade() -> None:
    assert "hash" in (graded(SYSTEM, "var a;") or "")


@pytest.mark.parametrize(
    "system", ["", "Be kind.", "Key Concept", "Key Concept: loops, and more", "Key Concept,\n", "\0"]
)
def test_without_a_rubric_nothing_is_graded(system: str) -> None:
    assert graded(system, "var a;") is None


def test_a_program_with_an_answer_dictates_it() -> None:
    assert graded(SYSTEM, "Key Concept\tLabel\nLoops\tNo Evidence") is None


@given(st.text())
def test_any_system_text_will_do(text: str) -> None:
    graded(text, "var a;")
    graded(f"Key Concept,a\n{text}", "var a;")
