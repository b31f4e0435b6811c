"""Two experiments side by side."""

from __future__ import annotations

import msgspec
import pytest

from lib.assessment import LABELS
from lib.assessment.measure import EXACT, Measured, compare
from lib.assessment.report import render_comparison
from lib.assessment.report.comparison import meaning, names
from tests.lib.assessment.report.reading import Page
from tests.lib.assessment.report.samples import measured


def text(first: Measured, second: Measured) -> str:
    return " ".join(Page(render_comparison(first, second)).texts[0].split())


def test_figures_are_those_of_compare() -> None:
    first, second = measured(), measured("extractor")
    page = Page(render_comparison(first, second))
    found = compare(first, second, EXACT)
    shown = page.values("data", "value")
    for change in (found.overall, *found.by_concept.values()):
        assert {str(change.first.share), str(change.second.share)} <= set(shown)
    body = " ".join(page.texts[0].split())
    assert f"{found.overall.gained} now right, {found.overall.lost} now wrong" in body
    assert "The difference is more than chance (p = 0.008)." in body
    assert "No single concept shows a difference" in body


def test_better_and_worse_concepts_are_named() -> None:
    first, second = _only(8), measured("extractor")
    better, worse = text(first, second), text(second, first)
    assert "Same label, better: Modularity - Multiple Sprites." in better
    assert "\u25b2 better, more than chance" in better
    assert "Same label, worse: Modularity - Multiple Sprites." in worse
    assert "\u25bc worse, more than chance" in worse


def _only(wrong: int) -> Measured:
    """The second experiment with a concept made wrong in so many programs."""
    lesson = measured("extractor")
    concept, programs = lesson.concepts[1], []
    for program in lesson.programs[:wrong]:
        off = LABELS[(LABELS.index(program.actual[concept]) + 2) % 4]
        rows = tuple(_with(row, off) if row.concept == concept else row for row in program.predicted)
        programs.append(msgspec.structs.replace(program, predicted=rows))
    everything = (*programs, *lesson.programs[wrong:])
    return msgspec.structs.replace(lesson, experiment="worse", programs=everything)


def _with(row, label):  # type: ignore[no-untyped-def]
    return type(row)(row.concept, label, row.observations, row.evidence, row.reason)


def test_programs_that_changed() -> None:
    page = Page(render_comparison(measured(), measured("extractor")))
    students = [head for head in page.all("h3") if head.startswith("student_")]
    assert students == ["student_04", *(f"student_{number:02}" for number in (6, 8, 9, 10, 11, 12))]
    assert "Human Limited baseline Extensive extractor Limited now right" in page.all("article")[3]
    assert "Both experiments gave every program the same labels." in text(measured(), measured())


@pytest.mark.parametrize(("before", "after", "said"), [
    (1, 0, "now right"), (0, -1, "now wrong"), (2, 1, "closer"), (-1, 2, "farther off"), (-1, 1, "as far off"),
])  # fmt: skip
def test_meaning(before: int, after: int, said: str) -> None:
    assert meaning(before, after) == said


def test_names() -> None:
    first = measured()
    assert names(first, measured("extractor")) == ("baseline", "extractor")
    assert names(first, msgspec.structs.replace(first, model="gpt-4o")) == ("example-model", "gpt-4o")
    assert names(first, first) == ("baseline (first)", "baseline (second)")


def test_what_is_not_alike_is_said() -> None:
    first = measured(failing="student_05")
    other = msgspec.structs.replace(first.programs[0], source="x", actual={})
    second = msgspec.structs.replace(
        measured(), lesson="L9", concepts=first.concepts[:3], programs=(other, *measured().programs[1:])
    )
    said = text(first, second)
    for words in (
        "The lessons are not the same: csd3-2023-L18 and L9.",
        "which are left out: Readability - Names and Comments.",
        "Only one of the two graded these programs, which are left out: student_05.",
        "These programs are not the same text in both: student_01.",
        "The human labels of these programs are not the same in both: student_01.",
    ):
        assert words in said
