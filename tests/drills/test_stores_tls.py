"""PostgreSQL and Redis over TLS, as a task reaches them: one whose certificate does not fit gets no word of ours."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from tests.databases import new_sqlite, prepared
from tests.drills.audit import Books, make_key
from tests.drills.crowd import Ask, crowd, until
from tests.servers import Authority, Postgres, Redis
from tests.upstream import Gateway, Gateways
from tests.upstream.ports import LOOPBACK

HOST = "database.internal"
PASSWORD = "p4ss/of:the@database"
CACHE_PASSWORD = "p4ss/of:the@cache"
LONG = 20.0  # seconds that nothing here takes, however busy this machine is


@dataclass(frozen=True)
class World:
    """Both stores, with certificates of one authority; `folder` holds it, and another one that signed nothing."""

    folder: Path
    postgres: Postgres
    redis: Redis

    def database_url(self, user: str, authority: str = "authority.pem", host: str = HOST) -> str:
        """An address without a password, of a database of the user's own."""
        place = self.postgres.url_of(f"of_{user}", user).replace(LOOPBACK, host)
        check = f"sslmode=verify-full&sslrootcert={quote(str(self.folder / authority))}"
        return f"{place}?{check}&hostaddr={LOOPBACK}"  # the name is known to the certificate alone


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    authority, _ = Authority(folder), Authority(folder, "another")
    with ExitStack() as stack:
        postgres = Postgres(authority.certify(HOST))
        cache = Redis(folder, ("--requirepass", CACHE_PASSWORD), authority.certify("localhost"))
        for server in (postgres, cache):
            server.start()
            stack.callback(server.stop)
        yield World(folder, postgres, cache)


@pytest.fixture
def user(world: World) -> str:
    """A user of PostgreSQL who needs the password and may make databases."""
    return world.postgres.new_user(PASSWORD)


def migrate(gateway: Gateway) -> subprocess.CompletedProcess[str]:
    """What the container `migrate` of a task does."""
    command = [sys.executable, "-m", "lib.cli.migrate", "--create-database"]
    return subprocess.run(
        command, cwd=gateway.directory, env=gateway.settings, capture_output=True, text=True, timeout=60, check=False
    )


# ---- PostgreSQL ----


def test_a_server_keeps_its_books_where_the_certificate_fits(world: World, user: str, gateway: Gateways):
    settings = {"DATABASE_URL": world.database_url(user), "DATABASE_PASSWORD": PASSWORD}
    server = gateway.prepare(**settings)
    done = migrate(server)
    assert (done.returncode, done.stderr) == (0, "")
    server.start()
    assert [one.status for one in crowd([Ask(server, "echo")])] == [200]
    books = Books(world.postgres.url_of(f"of_{user}"))
    until(lambda: len(books.rows()) == 1)
    encrypted = world.postgres.command(
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
        f" WHERE application_name = 'aiproxy' AND datname = 'of_{user}' AND usename = '{user}'"
    )
    assert encrypted == [(True,)]
    assert PASSWORD not in server.output() + done.stdout


MISFITS = {
    "another authority": ({"authority": "another.pem"}, "certificate verify failed"),
    "another host": ({"host": "other.internal"}, 'certificate for "database.internal" does not match host name'),
    "no file": ({"authority": "missing.pem"}, 'missing.pem" does not exist'),
    "no certificates": ({"authority": "authority-database.internal.key"}, "could not read root certificate file"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_no_database_is_made_where_it_does_not(world: World, user: str, gateway: Gateways, misfit: str):
    changes, words = MISFITS[misfit]
    server = gateway.prepare(DATABASE_URL=world.database_url(user, **changes), DATABASE_PASSWORD=PASSWORD)
    done = migrate(server)
    assert (done.returncode, done.stdout) == (3, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("bin/migrate: the database cannot be reached: ")
    assert words in line
    assert PASSWORD not in line
    assert world.postgres.command(f"SELECT 1 FROM pg_database WHERE datname = 'of_{user}'") == []


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_server_is_not_ready_where_it_does_not(world: World, user: str, gateway: Gateways, misfit: str):
    changes, words = MISFITS[misfit]
    prepared(world.postgres.new_database(f"of_{user}"))
    server = gateway.prepare(DATABASE_URL=world.database_url(user, **changes), DATABASE_PASSWORD=PASSWORD)
    server.launch()
    line = server.wait_for_line(lambda line: line["event"].startswith("the database is away"), LONG)
    assert words in line["detail"]
    until(lambda: server.ready_status() == 503)
    assert PASSWORD not in server.output()
    assert Books(world.postgres.url_of(f"of_{user}")).workers() == []


# ---- Redis ----


def limited(world: World, gateway: Gateways, host: str = "localhost", trust: str = "authority.pem", **more: str):
    """A server with its counters in Redis, and a key that may call three times a minute. Trust is the system's."""
    settings = {
        "DATABASE_URL": new_sqlite(),
        "REDIS_URL": f"rediss://{host}:{world.redis.tls_port}/0",
        "REDIS_PASSWORD": CACHE_PASSWORD,
        "SSL_CERT_FILE": str(world.folder / trust),
        "RATES_WHEN_DOWN": "refuse",
    }
    server = gateway(WEB_CONCURRENCY="2", **(settings | more))
    return server, make_key(server, "limited", "--rpm", "3")


def test_rates_are_counted_in_a_redis_that_asks_for_tls_and_a_password(world: World, gateway: Gateways):
    server, key = limited(world, gateway)
    until(lambda: time.time() % 60 < 40)  # windows begin with a minute of the clock
    statuses = [one.status for one in crowd(Ask(server, "echo", key=key) for _ in range(30))]
    assert (statuses.count(200), statuses.count(429)) == (3, 27)
    with redis.Redis(port=world.redis.port, password=CACHE_PASSWORD) as client:
        assert list(client.scan_iter("aiproxy*"))
    assert CACHE_PASSWORD not in server.output()


@pytest.mark.parametrize(
    ("changes", "words", "choice"),
    [
        ({"trust": "another.pem"}, "certificate verify failed", "refuse"),
        ({"host": LOOPBACK}, "IP address mismatch", "allow"),
        ({"REDIS_PASSWORD": "not-the-password"}, "invalid username-password pair", "refuse"),
        ({"REDIS_PASSWORD": ""}, "Authentication required", "allow"),
    ],
)
def test_nothing_is_counted_where_something_does_not_fit(world, gateway: Gateways, changes, words, choice):
    server, key = limited(world, gateway, RATES_WHEN_DOWN=choice, **changes)
    heard = crowd(Ask(server, "echo", key=key) for _ in range(30))
    assert {one.status for one in heard} == {200 if choice == "allow" else 503}
    assert max(one.seconds for one in heard) < LONG
    line = server.wait_for_line(lambda line: line["event"] == "rates cannot be counted")
    assert words in line["detail"]
    assert not any(secret in server.output() for secret in (CACHE_PASSWORD, "not-the-password"))
    assert server.ready_status() == 200
