"""Stores of every kind: what is shown for one holds for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.stores import Database, open_database
from tests.databases import new_sqlite, prepared
from tests.lib.stores.shared import RedisShared, Shared, SqliteShared
from tests.servers import Postgres


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


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A database with the tables and nothing in them."""
    if request.param == "sqlite":
        return new_sqlite()
    postgres: Postgres = request.getfixturevalue("postgres")
    return prepared(postgres.new_database())


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """The same, opened."""
    opened = open_database(url, 5.0)
    yield opened
    opened.close()
