"""The pages in a real browser (see conftest.py), on a phone, on a desk, in the dark and on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.assessment.report import as_json, render, render_comparison
from tests.browser import Browser
from tests.lib.assessment.report.samples import measured
from tests.lib.assessment.report.test_page import hostile

CONTRAST = 4.5  # WCAG 2.2, 1.4.3
FIGURES = """
Object.fromEntries([...document.querySelectorAll('[data-concept]')].map(row => [row.dataset.concept,
  [...row.querySelectorAll('td')].map(cell => [...cell.querySelectorAll('data')].map(one => Number(one.value)))]))
"""
MATRICES = """
[...document.querySelectorAll('[data-matrix]')].map(one => [...one.querySelectorAll('tbody tr')].map(
  row => [...row.querySelectorAll('data')].map(cell => Number(cell.textContent))))
"""
FAINT = """
(() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const over = (colours) => {
    pen.clearRect(0, 0, 1, 1);
    for (const colour of colours) { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); }
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  };
  const light = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const found = new Set();
  for (const one of document.querySelectorAll('body *')) {
    if (one.closest('svg') || ![...one.childNodes].some(node => node.nodeType == 3 && node.data.trim())) continue;
    const behind = [];
    for (let up = one; up; up = up.parentElement) behind.unshift(getComputedStyle(up).backgroundColor);
    const [ink, paper] = [light(over([...behind, getComputedStyle(one).color])), light(over(behind))];
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (contrast < LIMIT) found.add(`${one.tagName}.${one.className} ${contrast.toFixed(2)}`);
  }
  return [...found];
})()
""".replace("LIMIT", str(CONTRAST))
SHOWN = "[...document.querySelectorAll('details')].map(one => one.lastElementChild.checkVisibility())"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of pages, by name."""
    home = tmp_path_factory.mktemp("pages")
    lesson, other = measured(failing="student_05"), measured("extractor")
    made = {
        "report": render(lesson),
        "comparison": render_comparison(lesson, other),
        "hostile": render(hostile(lesson)),
        "hostile-comparison": render_comparison(hostile(lesson), hostile(other)),
    }
    for name, html in made.items():
        (home / f"{name}.html").write_text(html)
    return {name: home / f"{name}.html" for name in made}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["report", "comparison", "hostile", "hostile-comparison"])
def test_fits_can_be_read_and_complains_of_nothing(
    browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    browser.complaints.clear()
    browser.open(pages[name], width, prefers_color_scheme=scheme)
    for _ in range(2):  # as it opens, and with everything unfolded
        assert browser.run("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
        assert browser.run(FAINT) == []
        browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.complaints == []


def test_figures_are_those_of_the_json(browser: Browser, pages: dict[str, Path]) -> None:
    told = json.loads(as_json(measured(failing="student_05")))
    browser.open(pages["report"], 360)
    wanted = [told["exact"], told["pass_fail"]]
    assert browser.run(FIGURES) == {
        concept: [[one["by_concept"][concept][name] for name in ("share", "low", "high")] for one in wanted]
        for concept in told["exact"]["by_concept"]
    }
    assert browser.run(MATRICES) == [
        told["exact"]["matrix"], told["pass_fail"]["matrix"], *told["exact"]["matrices"].values(),
    ]  # fmt: skip


def test_print_opens_what_is_folded(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["report"], 700)
    assert not any(browser.run(SHOWN))
    browser.open(pages["report"], 700, media="print", prefers_color_scheme="dark")
    assert all(browser.run(SHOWN))
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 10
