"""The page: whole, in order, the same figures as the JSON, and nothing in it that came from outside can act."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from lib.assessment import Row
from lib.assessment.measure import Measured
from lib.assessment.report import as_csv, as_json, render, render_comparison
from tests.lib.assessment.report.reading import Page
from tests.lib.assessment.report.samples import measured

EVIL = "</pre></style><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\u202e\0\ud800&amp;"
KNOWN = {
    *("html", "head", "meta", "title", "link", "style", "body", "svg", "symbol", "rect", "line", "path", "use", "a"),
    *("header", "nav", "main", "section", "article", "aside", "footer", "h1", "h2", "h3", "h4", "h5", "p", "ul", "li"),
    *("dl", "dt", "dd", "div", "span", "strong", "b", "br", "small", "code", "pre", "data", "time", "details"),
    *("summary", "figure", "table", "caption", "thead", "tbody", "tr", "th", "td"),
}


def hostile(value: Any) -> Any:
    """The same with every text made evil, but the labels, which the pipeline has checked."""
    if isinstance(value, str):
        return value if value.endswith(" Evidence") else EVIL + value
    if isinstance(value, dict):
        return {hostile(key): hostile(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(hostile(one) for one in value)
    if isinstance(value, Row):
        return Row(
            *(hostile(getattr(value, name)) for name in ("concept", "label", "observations", "evidence", "reason"))
        )
    if isinstance(value, msgspec.Struct):
        return type(value)(**{name: hostile(getattr(value, name)) for name in value.__struct_fields__})
    return value


@pytest.fixture(scope="module")
def lesson() -> Measured:
    return measured(failing="student_05")


@pytest.fixture(scope="module")
def html(lesson: Measured) -> str:
    return render(lesson)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_figures_are_those_of_the_json(lesson: Measured, page: Page) -> None:
    told = json.loads(as_json(lesson))
    shown = set(page.values("data", "value"))
    for mode in ("exact", "pass_fail"):
        for figures in [told[mode]["overall"], *told[mode]["by_concept"].values()]:
            assert {str(figures[name]) for name in ("share", "low", "high")} <= shown
            assert f"{figures['right']} of {figures['total']}" in " ".join(page.texts[0].split())
    assert page.all("data", data_figure="graded") == [str(told["counts"]["graded"])] == ["11"]
    assert page.all("data", data_figure="failed") == [str(told["counts"]["failed"])] == ["1"]


def test_order(page: Page) -> None:
    assert page.all("h2") == [
        "Accuracy", "Which labels were confused", "Disagreements", "Agreements", "Failed", "What was measured",
    ]  # fmt: skip
    students = [text for text in page.all("h3") if text.startswith("student_")]
    assert students[:3] == ["student_09", "student_10", "student_12"]
    assert students[-4:] == ["student_01", "student_02", "student_03", "student_05"]
    assert len(students) == 12


def test_what_was_measured_is_all_there(lesson: Measured, page: Page) -> None:
    text = " ".join(page.texts[0].split())
    _, *cells = [cell for row in csv.reader(lesson.rubric.splitlines()) for cell in row]
    said = [lesson.prompt, *cells, lesson.model, lesson.dataset, lesson.experiment, *lesson.sha256.values()]
    assert [each for each in said if " ".join(each.split()) not in text] == []


def test_a_disagreement_shows_all_there_is(page: Page) -> None:
    first = page.all("article")[0]
    for text in (
        "Human Limited AI Extensive",
        "AI is 2 steps higher, across the line",
        "Evidence",
        "Reason",
        "Lines 1-8",
    ):
        assert text in first
    assert page.texts[0].count("The model's answer names no label for Position and Movement.") == 1


def test_headings_go_down_one_at_a_time(html: str, lesson: Measured) -> None:
    for made in (html, render_comparison(lesson, measured("extractor"))):
        ranks = [int(tag[1]) for tag, _ in Page(made).tags if re.fullmatch(r"h\d", tag)]
        assert ranks[0] == 1
        assert ranks.count(1) == 1
        assert all(below - above <= 1 for above, below in pairwise(ranks))


def test_links_lead_somewhere_and_ids_are_unique(page: Page) -> None:
    ids = [given["id"] for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    links = page.values("a", "href") + page.values("use", "href")
    assert {link[0] for link in links} == {"#"}
    assert {link[1:] for link in links} <= set(ids)


def test_heads_of_tables_have_a_scope(page: Page) -> None:
    assert all("scope" in given for tag, given in page.tags if tag == "th")


def test_the_policy_lets_only_the_own_style_in(html: str, page: Page) -> None:
    style = re.search(r"<style>(.*?)</style>", html, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    [policy] = [given["content"] for _, given in page.tags if given.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert not any("style" in given for _, given in page.tags)


def test_what_is_hostile_does_nothing(lesson: Measured) -> None:
    evil = hostile(lesson)
    for made in (
        render(evil),
        render_comparison(evil, hostile(measured("extractor"))),
        render_comparison(evil, lesson),
    ):
        made.encode()
        found = Page(made)
        assert {tag for tag, _ in found.tags} <= KNOWN
        assert not any(name.startswith("on") or name == "style" for _, given in found.tags for name in given)
        assert "<script" not in made
        assert "{{7*7}}\u2039U+202E\u203a" in found.texts[0]
        assert not re.search("[\0\u202e]", made)


def test_what_is_hostile_can_be_written(lesson: Measured) -> None:
    programs = tuple(hostile(program) for program in lesson.programs)
    evil = msgspec.structs.replace(lesson, programs=programs)
    assert json.loads(as_json(evil))["programs"][0]["student"].startswith("</pre>")
    assert as_csv(evil).decode()


def test_odd_lessons(lesson: Measured) -> None:
    nothing = msgspec.structs.replace(lesson, programs=(), stopped="The budget is spent.", not_asked=("student_01",))
    text = " ".join(Page(render(nothing)).texts[0].split())
    assert "No program has grades to compare." in text
    assert "The budget is spent. Not asked about: student_01" in text
    assert "have no grades of the same programs" in render_comparison(nothing, lesson)
    assert "no,rubric" in render(msgspec.structs.replace(lesson, rubric="no,rubric"))
    unlabelled = msgspec.structs.replace(lesson.programs[0], actual={})
    assert "not labelled" in render(msgspec.structs.replace(lesson, programs=(unlabelled,)))
