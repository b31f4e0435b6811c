"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.gateway.door import Door
from tests.upstream import Upstream


@pytest.fixture
def door(upstream: Upstream, tmp_path: Path) -> Iterator[Door]:
    """A gateway in front of the upstream. Every stream that it opened must have been closed at the end."""
    made = Door(upstream, tmp_path)
    yield made
    made.http.close()
    assert made.tally.open_streams == 0
