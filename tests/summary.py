"""Sections of lines at the end of a run, whichever process of pytest-xdist they come from."""

from __future__ import annotations

from typing import Any

import pytest

_SECTIONS = pytest.StashKey[dict[str, list[str]]]()


def show(config: pytest.Config, section: str, *lines: str) -> None:
    """Show these lines at the end of the run, each once."""
    shown = config.stash[_SECTIONS].setdefault(section, [])
    shown += [line for line in lines if line not in shown]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SECTIONS] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process that only runs tests hands its lines over."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["sections"] = session.config.stash[_SECTIONS]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over the lines of a process; one that crashed has none."""
    for section, lines in getattr(node, "workeroutput", {}).get("sections", {}).items():
        show(node.config, section, *lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for section, lines in terminalreporter.config.stash[_SECTIONS].items():
        terminalreporter.section(section)
        for line in lines:
            terminalreporter.write_line(line)
