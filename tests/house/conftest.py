"""Tells, after a run, which files and functions have grown long. It is a report: nothing fails for it."""

import ast

import pytest

from tests.house.tree import ROOT, python_files
from tests.summary import show

LONG_FILE, LONG_FUNCTION = 400, 50  # lines


def long_parts():
    """One line for each file or function of lib and src that is longer than it should be."""
    for path in python_files("lib", "src"):
        text = path.read_text()
        if (length := len(text.splitlines())) > LONG_FILE:
            yield f"{path.relative_to(ROOT)}: {length} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (length := node.end_lineno - node.lineno + 1) > LONG_FUNCTION:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}: {length} lines"


@pytest.fixture(scope="session", autouse=True)
def _grown_long(request):
    show(request.config, "grown long", *long_parts())
