"""kill -9 at any moment: whoever reached the vendor has one row, and the budgets are what the rows add up to."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from typing import Any

import gevent
import pytest

from tests.drills.audit import Books, make_key, markers
from tests.drills.conftest import Seen, Serve
from tests.drills.crowd import Ask, Load, load, marker_of, until
from tests.upstream import Gateway, Upstream

KILLS = 5
CALLERS = 24
COST, WORST = 10_000_000, 20_000_000  # nano-USD
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
KINDS = ["openai/ok", "openai/slow-0.1", "openai/stream-5-0.02", "openai/slow-middle-0.1"]


@pytest.fixture
def server(vendor: Upstream, gateway: Serve, books: Books) -> Gateway:
    return gateway(
        vendor,
        models=MODELS,
        WEB_CONCURRENCY="2",
        DATABASE_URL=books.url,
        LEASE_SECONDS="3",
        STORE_TIMEOUT_SECONDS="10",
        MAX_COST_PER_RUN="1000",
        LOG_LEVEL="WARNING",
    )


def begin(callers: Load, server: Gateway) -> None:
    """Callers with a budget, in a run, and with neither."""
    key = make_key(server, "budgeted", "--budget", "1000/day", "--budget", "5000/month")
    drawn = random.Random(7)

    def another(**whose: Any) -> Ask:
        fields = {"stream": drawn.random() < 0.5, "max_tokens": 10}
        return Ask(server, drawn.choice(KINDS), fields=fields, **whose)

    for whose in ({"key": key}, {"run": "the-run"}, {"key": key, "run": "its-run"}, {}):
        callers.add(CALLERS // 4, lambda whose=whose: another(**whose))


def whole(server: Gateway) -> bool:
    return len(server.worker_pids) == 2 and server.ready_status() == 200


def check(books: Books, seen: Seen, kills: int) -> None:
    """Every call of the vendor's has its row; what is lost costs what was reserved."""
    rows = books.settled()
    reached = {marker_of(call) for call in seen.calls if call.received_at is not None}
    assert reached - markers(rows) == set()
    assert {row["exactness"] for row in rows if row["marker"] not in reached} <= {"lost"}
    costs = {(row["exactness"], row["cost"]) for row in rows}
    assert costs <= {("exact", COST), ("lost", WORST)}
    lost = [row for row in rows if row["exactness"] == "lost"]
    assert 0 < len(lost) <= kills * CALLERS
    assert {(row["error"], row["status"]) for row in lost} == {("worker_lost", 0)}


def test_of_a_worker(server: Gateway, books: Books, seen: Seen) -> None:
    with load() as callers:
        begin(callers, server)
        for _ in range(KILLS):
            until(lambda: whole(server))
            gevent.sleep(random.uniform(0.2, 0.8))
            os.kill(random.choice(server.worker_pids), signal.SIGKILL)
            gevent.sleep(0.1)
        until(lambda: whole(server))
        until(lambda: Counter(one.status for one in callers.heard)[200] > 2 * CALLERS)
        heard = callers.stop()
    check(books, seen, KILLS)
    assert {one.status for one in heard} <= {200, None}
    until(lambda: len(books.workers()) == 2)


def test_of_a_whole_server(server: Gateway, books: Books, seen: Seen) -> None:
    with load() as callers:
        begin(callers, server)
        for _ in range(2):
            until(lambda: whole(server))
            gevent.sleep(random.uniform(0.3, 0.8))
            server.stop(grace=0)
            server.start()
        gevent.sleep(0.5)
        callers.stop()
    check(books, seen, 2)
