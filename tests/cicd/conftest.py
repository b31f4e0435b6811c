"""An account for the tests of the delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cicd.console import Console


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """An empty account, for all tests of a file."""
    with Console(tmp_path_factory.mktemp("account")).open() as console:
        yield console


@pytest.fixture
def own_account(tmp_path: Path) -> Iterator[Console]:
    """An empty account, for one test."""
    with Console(tmp_path).open() as console:
        yield console
