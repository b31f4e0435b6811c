"""The rules of templates, which CloudFormation reads with fewer functions than the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cicd.rendering import load
from tests.house.tree import ROOT

TEMPLATES = sorted(ROOT.glob("cicd/**/*template.yml"))
# AWS CloudFormation Template Reference Guide, "Rule functions", "Supported functions".
NAMES = {
    f"Fn::{name}"
    for name in [
        "And",
        "Contains",
        "EachMemberEquals",
        "EachMemberIn",
        "Equals",
        "Not",
        "Or",
        "RefAll",
        "ValueOf",
        "ValueOfAll",
    ]
}


def functions(value: Any) -> Iterator[str]:
    """Those that a piece of a template calls."""
    if isinstance(value, list):
        for item in value:
            yield from functions(item)
    if isinstance(value, dict):
        yield from (name for name in value if name.startswith("Fn::"))
        for item in value.values():
            yield from functions(item)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_rules_call_no_function_that_cloudformation_refuses_there(path):
    assert set(functions(load(path).get("Rules", {}))) <= NAMES


def test_there_are_rules():
    assert sum("Rules" in load(path) for path in TEMPLATES) >= 2
