"""Counters over SQLite and a real Redis: what is shown for one holds for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.stores.shared import RedisShared, Shared, SqliteShared


@pytest.fixture(params=["sqlite", "redis"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    """Counters and their clock."""
    made: Shared
    if request.param == "sqlite":
        made = SqliteShared(tmp_path / "rates.db")
    else:
        made = RedisShared(request.getfixturevalue("redis_server"))
    yield made
    made.close()
