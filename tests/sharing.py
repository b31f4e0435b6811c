"""How the processes of pytest-xdist share a run: `-n auto --dist loadfile`, as bin/test.sh calls pytest."""

from __future__ import annotations

import os

import pytest

MORE = 2  # processes than cores: much of the time tests wait
FIRST = ("drills", "containers", "cicd", "singlehost", "house")  # folders with files that take a minute


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    return (os.cpu_count() or 1) + MORE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long goes first, so that no process is left alone with it at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    folder = item.nodeid.split("/")[1]
    return FIRST.index(folder) if folder in FIRST else len(FIRST)
