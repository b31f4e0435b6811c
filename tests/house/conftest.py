"""Tells, after a run, which files and functions have grown long. It is a report: nothing fails for it."""

import ast

from tests.house.tree import ROOT, python_files

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


def pytest_terminal_summary(terminalreporter):
    if lines := list(long_parts()):
        terminalreporter.section("grown long")
        for line in lines:
            terminalreporter.write_line(line)
