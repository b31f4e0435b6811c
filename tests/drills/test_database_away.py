"""PostgreSQL stopped, frozen and slow under load: no call hangs, settings decide, and later the books are right."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress, count
from operator import not_
from typing import Any

import gevent
import pytest

from tests.databases import prepared
from tests.drills.audit import Books, make_key, markers, there
from tests.drills.client import connected
from tests.drills.conftest import Seen, Serve
from tests.drills.crowd import Ask, Heard, Load, crowd, load, marker_of, until
from tests.lib.stores.slow_road import Lag, slow
from tests.servers import Postgres
from tests.upstream import Gateway, Upstream

TIMEOUT = 1.0  # STORE_TIMEOUT_SECONDS
LONG = 20.0  # seconds that no call takes, however busy this machine is
MODELS = """
[defaults]
attempts = 1
[rest]
failures = 1000000
[providers.openai]
shapes = ["*"]
[prices."openai/*"]
input = 0
output = 2000
"""
COST = 10_000_000  # nano-USD of five tokens
LOOKS = 12  # at one of two workers
_numbers = count(1)


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """One that the tests may stop."""
    server = Postgres()
    server.start()
    yield server
    server.stop()


@dataclass
class World:
    """Two servers on one database, which is reached by a road that may be slow. `usual` refuses calls with a budget
    while it is away and lets the others through; `other` does the opposite."""

    postgres: Postgres
    books: Books
    lag: Lag
    usual: Gateway
    other: Gateway

    def outage(self, kind: str) -> Iterator[None]:
        """Away until the generator goes on."""
        if kind == "frozen":
            with self.postgres.frozen():
                yield
        elif kind == "slow":
            self.lag.seconds = 0.3 * TIMEOUT  # the fourth answer, that to COMMIT, comes too late
            yield
            self.lag.seconds = 0.0
        else:
            self.postgres.kill()
            yield
            self.postgres.start()

    def ready(self, status: int) -> None:
        """Wait until all workers of both servers say so."""
        for server in (self.usual, self.other):
            until(lambda server=server: {server.ready_status() for _ in range(LOOKS)} == {status})


@pytest.fixture(scope="module")
def world(own_postgres: Postgres, serve: Serve, vendor: Upstream) -> Iterator[World]:
    url, lag = prepared(own_postgres.new_database()), Lag(0.0)
    with slow(own_postgres.port, lag) as road:
        by_road = url.replace(str(own_postgres.port), str(road.port))
        settings = {"WEB_CONCURRENCY": "2", "LEASE_SECONDS": "6", "LOG_LEVEL": "WARNING", "MAX_COST_PER_RUN": "1000"}
        settings |= {"STORE_TIMEOUT_SECONDS": str(TIMEOUT), "DATABASE_URL": by_road}
        usual = serve(vendor, models=MODELS, **settings)
        other = serve(vendor, models=MODELS, BUDGETS_WHEN_DOWN="allow", LEDGER_WHEN_DOWN="refuse", **settings)
        yield World(own_postgres, Books(url), lag, usual, other)
        usual.stop()
        other.stop()


class Callers:
    """Load on a server, by callers who have a budget and callers who have none."""

    def __init__(self, server: Gateway, calls: Load) -> None:
        self._server = server
        self._calls = calls
        key = make_key(server, f"key-{next(_numbers)}", "--budget", "1000/day")
        for whose in ({"key": key}, {"run": "a-run"}, {}):
            calls.add(4, lambda whose=whose: self._ask(**whose), pause=0.1)

    def _ask(self, **whose: Any) -> Ask:
        fields = {"stream": next(_numbers) % 2 == 0, "max_tokens": 10}
        return Ask(self._server, "openai/ok", fields=fields, **whose)

    def heard_since(self, moment: float) -> tuple[list[Heard], list[Heard]]:
        """What those heard who called since then: those with a budget, and those without."""
        mine = [one for one in self._calls.heard if one.ask.gateway is self._server and one.at > moment]
        with_budget = [bool(one.ask.key or one.ask.run) for one in mine]
        return list(compress(mine, with_budget)), list(compress(mine, map(not_, with_budget)))


@pytest.mark.parametrize("kind", ["stopped", "frozen", "slow"])
def test_settings_decide_and_the_books_are_right_later(world: World, seen: Seen, kind: str) -> None:
    world.ready(200)
    before = markers(world.books.rows())
    with load() as calls, connected(world.usual) as across:
        first, second = Callers(world.usual, calls), Callers(world.other, calls)
        until(lambda: len(calls.heard) > 100)
        through = Ask(world.usual, "openai/stream-10-1", fields={"stream": True, "max_tokens": 10})
        across.sock.sendall(through.request)
        across.events(1)
        away = world.outage(kind)
        next(away)
        world.ready(503)
        moment = time.monotonic()
        gevent.sleep(4.0)
        refused, allowed = first.heard_since(moment)
        allowed_too, refused_too = second.heard_since(moment)
        next(away, None)
        world.ready(200)
        moment = time.monotonic()
        gevent.sleep(1.0)
        heard = calls.stop()
        after = [one.status for one in heard if one.at > moment]
        assert b"".join(across.blocks()).endswith(b"data: [DONE]\n\n")
    assert {one.code for one in refused + refused_too} == {"store_unavailable"}
    assert {one.status for one in allowed + allowed_too} == {200}
    assert set(after) == {200}
    assert max(one.seconds for one in heard) < LONG
    during = refused + allowed + allowed_too + refused_too
    assert sum(one.seconds < TIMEOUT for one in during) > len(during) * 0.6
    check(world.books, seen, heard, before, through.marker)


def check(books: Books, seen: Seen, heard: list[Heard], before: set[str], through: str) -> None:
    """Whoever reached the vendor has a row that costs what the call did, and nobody else has one."""
    reached = {marker_of(call) for call in seen.calls}
    assert {one.ask.marker for one in heard if one.status == 200} <= reached
    until(lambda: reached <= markers(books.rows()))
    rows = [row for row in books.settled() if row["marker"] not in before]
    assert markers(rows) == reached
    assert {row["exactness"] for row in rows} == {"exact"}
    assert {row["marker"] for row in rows if row["cost"] != COST} == {through}
    assert {row["cost"] for row in rows} == {COST, 2 * COST}


def test_a_server_starts_while_it_is_down(own_postgres: Postgres, gateway: Serve, vendor: Upstream, seen: Seen) -> None:
    books = Books(prepared(own_postgres.new_database()))
    own_postgres.kill()
    server = gateway.prepare(
        vendor, models=MODELS, DATABASE_URL=books.url, WEB_CONCURRENCY="2", LEASE_SECONDS="2", LOG_LEVEL="WARNING"
    )
    server.launch()
    until(lambda: server.ready_status() == 503)
    (without,) = crowd([Ask(server, "openai/ok", fields={"max_tokens": 10})])
    (within,) = crowd([Ask(server, "openai/ok", run="a-run", fields={"max_tokens": 10})])
    assert (without.status, within.code) == (200, "store_unavailable")
    own_postgres.start()
    until(lambda: there(books.url))
    until(lambda: server.ready_status() == 200)
    until(lambda: markers(books.settled()) == {without.ask.marker})


def test_a_server_on_an_empty_one_says_what_helps(
    own_postgres: Postgres, gateway: Serve, vendor: Upstream, seen: Seen
) -> None:
    server = gateway.prepare(vendor, models=MODELS, DATABASE_URL=own_postgres.new_database())
    server.launch()
    assert server.wait(30) == 2
    assert "bin/migrate" in server.output()
    assert "Traceback" not in server.output()
