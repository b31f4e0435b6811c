"""The report of one measured lesson."""

from __future__ import annotations

from collections.abc import Mapping

from lib.assessment.measure import Measured
from lib.assessment.report.facts import facts
from lib.assessment.report.pages import page
from lib.assessment.report.sheets import letter, sheets
from lib.assessment.rubric import Rubric
from lib.base.errors import BadRequest


def render(measured: Measured) -> str:
    """A page to hand to a teacher: how often the AI agrees, where it does not, and each program beside the evidence."""
    found = facts(measured)
    every = sheets(measured, found)
    graded = [sheet for sheet in every if sheet.program.error is None]
    return page(
        "report.html",
        facts=found,
        letters={concept: letter(number) for number, concept in enumerate(measured.concepts)},
        differing=[sheet for sheet in graded if sheet.differing],
        agreeing=[sheet for sheet in graded if not sheet.differing],
        failed=[sheet for sheet in every if sheet.program.error is not None],
        prompt=measured.prompt,
        rubric=reasons(measured.rubric),
        rubric_text=measured.rubric,
    )


def reasons(rubric: str) -> Mapping[str, Mapping[str, str]]:
    """What each label means for each concept. Empty when the text is no rubric."""
    try:
        return Rubric.parse(rubric).reasons
    except BadRequest:
        return {}
