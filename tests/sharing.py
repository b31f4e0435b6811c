"""How the processes of pytest-xdist share a run (`pytest -n auto`): by files, which have servers to themselves."""

from __future__ import annotations

import os
from itertools import chain, zip_longest
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

MORE = 2  # processes than cores: much of the time tests wait
TOGETHER = ("tests/containers/",)  # one image is built for all of it, and the engine is busy enough
LONG = ("drills", "containers", "cicd", "singlehost", "src", "agents", "house")  # longest first


class Sharing(LoadScopeScheduling):
    """Gives each process one file after the other.

    Files that take long take turns with the others: so none of them is left at the end, and those that need a server
    which is quick to answer have not the whole machine against them.
    """

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # the order is ours

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    return (os.cpu_count() or 1) + MORE


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing | None:
    """Ours, unless `--dist` asks for another."""
    return Sharing(config, log) if config.getoption("dist") == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of pytest-xdist, long files and others in turn."""
    if not hasattr(config, "workerinput"):
        return
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    items[:] = chain.from_iterable(files[name] for name in in_turn(list(files)))


def in_turn(files: list[str]) -> list[str]:
    """The files in the order in which they are begun."""
    long = sorted((file for file in files if _folder(file) in LONG), key=lambda file: LONG.index(_folder(file)))
    others = [file for file in files if _folder(file) not in LONG]
    return [file for pair in zip_longest(long, others) for file in pair if file]


def _folder(file: str) -> str:
    return file.split("/")[1] if file.startswith("tests/") else ""
