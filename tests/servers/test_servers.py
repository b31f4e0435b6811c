"""The starters: they answer, freeze, thaw, die and come back."""

import psycopg
import pytest

from tests.servers import Postgres, Redis, missing

SKIPPED = pytest.skip.Exception
FAILED = pytest.fail.Exception


def select_one(url: str, seconds: int = 5) -> object:
    plain = url.replace("+psycopg", "", 1)
    with psycopg.connect(plain, connect_timeout=seconds) as connection:
        row = connection.execute("SELECT current_database()").fetchone()
    return row and row[0]


def test_redis_answers(redis_server: Redis):
    assert redis_server.ask("PING") == b"+PONG\r\n"


def test_redis_is_frozen_and_thawed(own_redis: Redis):
    with own_redis.frozen(), pytest.raises(TimeoutError):
        own_redis.ask("PING")
    assert own_redis.ask("PING") == b"+PONG\r\n"


def test_redis_dies_and_comes_back_empty(own_redis: Redis):
    own_redis.ask("SET", "a", "1")
    own_redis.kill()
    with pytest.raises(ConnectionRefusedError):
        own_redis.ask("PING")
    own_redis.start()
    assert own_redis.ask("GET", "a") == b"$-1\r\n"


def test_postgresql_gives_databases_of_their_own(postgres: Postgres):
    urls = [postgres.new_database() for _ in range(2)]
    assert [select_one(url) for url in urls] == [url.rpartition("/")[2] for url in urls]
    assert urls[0] != urls[1]


def test_postgresql_is_frozen_and_thawed(postgres: Postgres):
    with postgres.frozen(), pytest.raises(psycopg.OperationalError):
        select_one(postgres.url, seconds=2)
    assert select_one(postgres.url) == "postgres"


def test_postgresql_dies_and_comes_back(postgres: Postgres):
    url = postgres.new_database()
    postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        select_one(url)
    postgres.start()
    assert select_one(url) == url.rpartition("/")[2]


@pytest.mark.parametrize(("ci", "outcome"), [("true", FAILED), ("", SKIPPED)])
def test_what_is_missing_fails_in_ci_and_skips_elsewhere(monkeypatch: pytest.MonkeyPatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"redis-server is not installed"):
        missing("redis-server", "redis-server")
