"""Two servers, as on two machines, on one database: one budget for both, and each closes what the other left."""

from __future__ import annotations

import pytest

from tests.drills.audit import USD, Books, make_key, markers
from tests.drills.conftest import Seen, Serve
from tests.drills.crowd import Ask, crowd, load, marker_of, until
from tests.upstream import Gateway, Upstream

MODELS = """
[defaults]
attempts = 1
[providers.openai]
shapes = ["*"]
[prices."openai/*"]
call = 0.01
"""
COST = USD // 100


@pytest.fixture
def pair(vendor: Upstream, gateway: Serve, books: Books) -> list[Gateway]:
    settings = {"WEB_CONCURRENCY": "2", "DATABASE_URL": books.url, "LOG_LEVEL": "WARNING", "LEASE_SECONDS": "3"}
    return [gateway(vendor, models=MODELS, STORE_TIMEOUT_SECONDS="10", **settings) for _ in range(2)]


def test_they_share_budgets(pair: list[Gateway], books: Books, seen: Seen) -> None:
    key = make_key(pair[0], "shared", "--budget", "1/total", "--budget", "1.50/month")
    for whose, most in (({"run": "shared"}, 200), ({"key": key}, 100)):
        heard = crowd(Ask(pair[number % 2], "openai/ok", **whose) for number in range(600))
        answered = [one for one in heard if one.status == 200]
        assert len(answered) == most
        assert {one.status for one in heard} == {200, 402}
        assert {one.ask.gateway for one in answered} == set(pair)
    rows = books.settled()
    assert markers(rows) == set(map(marker_of, seen.calls))
    assert sum(row["cost"] for row in rows) == 300 * COST


def test_one_closes_what_the_other_left(pair: list[Gateway], books: Books, seen: Seen) -> None:
    with load() as callers:
        for server in pair:
            callers.add(8, lambda server=server: Ask(server, "openai/slow-0.5", run="left"))
        until(lambda: len(callers.heard) > 20 and len(books.open_calls()) > 8)
        pair[0].stop(grace=0)
        until(lambda: any(row["exactness"] == "lost" for row in books.rows()))
        callers.stop()
    rows = books.settled()
    assert markers(rows) >= {marker_of(call) for call in seen.calls if call.received_at is not None}
    assert {row["cost"] for row in rows} == {COST}
    assert 0 < sum(row["exactness"] == "lost" for row in rows) <= 8
    until(lambda: len(books.workers()) == 2)
