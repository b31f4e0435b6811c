"""Models' answers: read in whatever form they come, and refused where a grade would have to be guessed."""

from __future__ import annotations

import json
import random
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.assessment import LABELS
from lib.assessment.grading import Unusable, grades
from tests.lib.assessment.grading.sheets import (
    CONCEPTS,
    FORMS,
    GIVEN,
    HEADER,
    ROWS,
    RUBRIC,
    as_json,
    as_markdown,
    as_table,
    as_tsv,
    labels,
)

FIRST = ROWS[0]


def reason(text: str) -> str:
    with pytest.raises(Unusable) as caught:
        grades(text, RUBRIC)
    return caught.value.reason


# ---- what can be read ----


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str) -> None:
    found = grades(FORMS[form], RUBRIC)
    assert [row.concept for row in found] == list(CONCEPTS), "in the rubric's order and spelling"
    assert {row.concept: row.label for row in found} == GIVEN


@pytest.mark.parametrize("form", ["json", "tsv", "csv", "csv-quoted", "markdown", "tsv-quoted", "tsv-escaped"])
def test_every_cell_is_read(form: str) -> None:
    found = grades(FORMS[form], RUBRIC)
    assert [(row.concept, row.observations, row.evidence, row.label, row.reason) for row in found] == list(ROWS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (["Line 1: a", "Line 2: b"], "Line 1: a Line 2: b"),
        ([], ""),
        (7, "7"),
        (1.5, "1.5"),
        (True, ""),
        ({"a": 1}, ""),
        ([{"a": 1}], ""),
        ([["a"]], ""),
        ("\ud800x\0", "?x"),
        ("  a ", "a"),
    ],
)
def test_evidence_of_any_type(value: Any, text: str) -> None:
    rows = json.loads(as_json())
    rows[0]["Evidence"] = value
    assert grades(json.dumps(rows), RUBRIC)[0].evidence == text


def test_evidence_may_be_missing() -> None:
    without = [[*row[:2], *row[3:]] for row in ROWS]
    header = [*HEADER[:2], *HEADER[3:]]
    for text in (as_tsv(without, header), as_json(without, header)):
        assert [row.evidence for row in grades(text, RUBRIC)] == ["", "", ""]


# ---- what is refused ----


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I cannot grade this.",
        "[]",
        "{}",
        "null",
        "[1, 2]",
        '["a", {"Key Concept": 1}]',
        "[[[",
        "\0",
        "Label",
        "Position - Shapes: Limited Evidence\nLoops: No Evidence",
        "Key Concept",
        as_json()[:200],
        "| Key Concept |",
    ],
)
def test_what_holds_no_grades(text: str) -> None:
    assert reason(text)


@pytest.mark.parametrize("write", [as_tsv, as_json, as_markdown, lambda rows: as_table(",", rows)])
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS[:2], "missing 'Loops'"),
        ([*ROWS[:2], ("Looping", *ROWS[2][1:])], "unexpected 'Looping', missing 'Loops'"),
        ([*ROWS, ("More", *ROWS[2][1:])], "unexpected 'More', missing none"),
        ([*ROWS, ROWS[2]], "'Loops' is there twice"),
        ([*ROWS, (*ROWS[2][:3], "No Evidence", "")], "'Loops' is there twice"),
        (labels("Limited Evidence", "Some Evidence", "No Evidence"), "invalid label value for 'Modularity"),
        (labels("Limited Evidence", "", "No Evidence"), "invalid label value"),
        (labels("Limited Evidence", "No Evidence.", "No Evidence"), "invalid label value"),
        (labels("Limited Evidence", "Limited Evidence or No Evidence", "No Evidence"), "invalid label value"),
        ([(concept.lower(), *row[1:]) for concept, row in zip(CONCEPTS, ROWS, strict=True)], "unexpected"),
    ],
)
def test_what_would_have_to_be_guessed(write: Any, rows: Any, words: str) -> None:
    assert words in reason(write(rows))


@pytest.mark.parametrize("missing", ["Key Concept", "Observations", "Label", "Reason"])
@pytest.mark.parametrize("write", [as_tsv, as_json])
def test_columns_that_are_missing_or_renamed(write: Any, missing: str) -> None:
    renamed = [name if name != missing else f"My {name}" for name in HEADER]
    words = reason(write(ROWS, renamed))
    assert missing in words


@pytest.mark.parametrize(
    "text",
    [
        as_json().replace('"Label": "Limited', '"Label": "No Evidence", "Label": "Limited'),
        as_json().replace('"Label": "Limited', '"Grade": "No Evidence", "Label": "Limited'),
        as_json().replace('"Label": "Limited Evidence"', '"Label": ["Limited Evidence"]'),
        as_json().replace('"Label": "Limited Evidence"', '"Label": null'),
        f"{as_tsv()}\nOn second thought:\n{as_tsv(labels('No Evidence', 'No Evidence', 'No Evidence'))}",
        f"{as_tsv()}\nA correction:\n\n{FIRST[0]}\to\te\tNo Evidence\tr\n",
        f"{as_json()}\n{as_json([(*FIRST[:3], 'No Evidence', '')])}",
        f"{as_json()}\n{as_markdown(labels('No Evidence', 'No Evidence', 'No Evidence'))}",
    ],
)
def test_what_contradicts_itself(text: str) -> None:
    assert reason(text)


@pytest.mark.parametrize("form", FORMS)
def test_half_an_answer_is_none(form: str) -> None:
    text = FORMS[form]
    half = text[: text.index(ROWS[1][3], text.index("Modularity"))] if form != "tsv-other-order" else text[:200]
    assert reason(half)


def test_a_label_in_the_wrong_column_is_no_grade() -> None:
    shifted = [(concept, "No Evidence", "Limited Evidence", "some of it") for concept in CONCEPTS]
    assert reason(as_tsv(shifted))


def test_a_reason_quotes_little() -> None:
    rows = [(f"{number}{'x' * 500}", *FIRST[1:]) for number in range(100)]
    assert len(reason(as_json([*ROWS, *rows]))) < 1000


# ---- any text at all ----

CELLS = st.sampled_from(
    [*CONCEPTS, *LABELS, *HEADER, "", " ", "---", "a, b", 'say "x"', "```", "\n", "\\t", "| ", "[{"]
)
TABLES = st.lists(st.lists(CELLS, max_size=7), max_size=9)
BREAKS = st.sampled_from(["\t", "|", ",", " | ", "\\t", "\t\t"])


def check(text: str) -> None:
    """Grades, each of which stands in the text, or a reason."""
    try:
        found = grades(text, RUBRIC)
    except Unusable:
        return
    assert [row.concept for row in found] == list(CONCEPTS)
    for row in found:
        assert row.label in LABELS
        assert row.label.casefold() in text.casefold()
        row.observations.encode()


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_is_refused_or_read(text: str) -> None:
    check(text)


@given(TABLES, BREAKS, st.booleans(), st.text(max_size=20))
@settings(max_examples=400, deadline=None)
def test_any_table_is_refused_or_read(table: list[list[str]], between: str, whole: bool, before: str) -> None:
    lines = [list(HEADER), *([list(row) for row in ROWS] if whole else []), *table]
    check(before + "\n" + "\n".join(between.join(cells) for cells in lines))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*HEADER, "Grade", "x"]), inner),
    max_leaves=30,
)


@given(JSON, st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_any_json_is_refused_or_read(value: Any, cut: int) -> None:
    text = json.dumps(value)
    check(text[: len(text) - cut])
    check(json.dumps([*json.loads(as_json()), value]))


@given(st.sampled_from(sorted(FORMS)), st.integers(0, 10_000), st.integers(0, 300), st.text(max_size=5))
@settings(max_examples=500, deadline=None)
def test_a_damaged_answer_never_has_another_grade(form: str, at: int, length: int, put: str) -> None:
    """Whatever is cut out of an answer or put into it, a label that comes out is one that was given for its concept."""
    text = FORMS[form]
    at %= len(text)
    damaged = text[:at] + put + text[at + length :]
    try:
        found = grades(damaged, RUBRIC)
    except Unusable:
        return
    assert {row.concept: row.label for row in found} == GIVEN


@pytest.mark.parametrize(
    "text",
    [
        "[" * 199_000,
        '[{"a":' * 33_000,
        "[" * 900 + "[" + "1," * 90_000 + "1]" + "]" * 900,
        "[" * 199 + "1," * 90_000,
        "{" * 199_000,
        "{}" * 99_000,
        '{"a":' * 199 + "[" + "1," * 90_000,
        '{"Key Concept":"x"}' * 9000,
        '"' * 199_000,
        "Key Concept\tLabel\n" + "\t" * 190_000,
        "Key Concept|Label\n" + "|" * 190_000,
        "Key Concept\tLabel\n" * 11_000,
        'Key Concept,Label\n"' + "a\n" * 90_000,
        "Key Concept\tLabel\n" + "a\tb\n" * 45_000,
        '[{"Key Concept":"x"}]' * 9000,
        "x" * 10_000_000,
    ],
)
def test_a_large_answer_takes_little_time(text: str) -> None:
    begin = perf_counter()
    assert reason(text)
    assert perf_counter() - begin < 1


def test_random_bytes() -> None:
    draw = random.Random(4)
    for _ in range(100):
        check(draw.randbytes(2000).decode("latin-1"))
