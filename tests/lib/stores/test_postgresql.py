"""PostgreSQL that answers late or not at all, as a worker sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.stores.postgresql import MAX_CONNECTIONS
from tests.lib.providers.patched import Patched
from tests.servers import Postgres

TIMEOUT = 0.5
GENEROUS = 10.0


@pytest.fixture(scope="module")
def patched() -> Iterator[Patched]:
    """A process that gevent has patched."""
    with Patched("tests.lib.stores.postgresql_scenarios") as child:
        yield child


def plain(postgres: Postgres) -> str:
    return postgres.url.replace("+psycopg", "", 1)


def test_a_crowd_takes_turns(postgres: Postgres, patched: Patched):
    assert patched.run("crowd", plain(postgres), GENEROUS, 200)["heard"] == {"answered": 200}


def test_a_crowd_does_not_wait_one_after_the_other_while_it_is_frozen(postgres: Postgres, patched: Patched):
    with postgres.frozen():
        seen = patched.run("crowd", plain(postgres), TIMEOUT, 200)
    assert seen["heard"] == {
        "no answer in time": MAX_CONNECTIONS,
        "it failed while this call waited for its turn": 200 - MAX_CONNECTIONS,
    }
    assert seen["longest"] < GENEROUS


def test_a_late_answer_is_not_for_the_next_call(postgres: Postgres, patched: Patched):
    assert patched.run("late", plain(postgres), TIMEOUT) == ["no answer in time", "next"]
