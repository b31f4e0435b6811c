"""What is shown while a run goes on."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lib.assessment.measure import GradedProgram
from lib.cli.tester_progress import Bar, Quiet, watch


def program(cost: int | None = 0, error: str | None = None) -> GradedProgram:
    return GradedProgram(student="ada", source="", actual={}, cost=cost, error=error)


def shown(*programs: GradedProgram) -> str:
    out = io.StringIO()
    with Bar(3, Console(file=out, force_terminal=True, width=150, color_system=None)) as bar:
        bar.lesson("L18")
        for each in programs:
            bar.done(each)
    return out.getvalue()


def test_the_bar_tells_what_is_done_and_what_it_cost() -> None:
    text = shown(program(20_000_000), program(5_000_000))
    assert "L18" in text
    assert "2/3" in text
    assert "0.025 USD" in text
    assert "left" in text


def test_failures_stand_above_it() -> None:
    text = shown(program(), program(None, "502 [bold]away[/]"))
    assert "ada: 502 [bold]away[/]" in text
    assert "1 failed, 0.00 USD" in text


def test_a_cost_that_nobody_knows() -> None:
    assert "cost unknown" in shown(program(None))


def test_elsewhere_only_failures_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = watch(3)
    assert isinstance(quiet, Quiet)
    with quiet:
        quiet.lesson("L18")
        quiet.done(program())
        quiet.done(program(None, "502 away"))
    assert capsys.readouterr() == ("", "ada: 502 away\n")
