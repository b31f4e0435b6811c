"""Callers who leave, vendors that fail, a server that is told to stop, all under load: every cent is accounted for."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from tests.drills.audit import Books, make_key, markers
from tests.drills.conftest import Seen, Serve
from tests.drills.crowd import Ask, Load, load, marker_of, until
from tests.upstream import Gateway, Upstream

MODELS = """
[defaults]
attempts = 2
[rest]
failures = 1000000
[providers.openai]
shapes = ["*"]
timeouts = { first_byte = 1, idle = 1 }
[prices."openai/*"]
input = 1000
output = 2000
"""
FINE = ["openai/ok", "openai/stream-5-0.05", "openai/slow-0.2", "openai/cached", "openai/nousage"]
FAULTY = [
    "openai/error-500", "openai/error-429", "openai/error-400", "openai/quota", "openai/html", "openai/not-json",
    "openai/cut", "openai/cut-head", "openai/cut-body", "openai/close-half", "openai/no-done", "openai/error-after",
    "openai/junk-event", "openai/silent", "openai/silent-half", "openai/empty-stream", "openai/false-ok",
]  # fmt: skip


@pytest.fixture
def server(vendor: Upstream, gateway: Serve, books: Books) -> Gateway:
    settings = {"WEB_CONCURRENCY": "2", "DATABASE_URL": books.url, "MAX_COST_PER_RUN": "100000"}
    return gateway(vendor, models=MODELS, LOG_LEVEL="ERROR", STORE_TIMEOUT_SECONDS="10", **settings)


def begin(callers: Load, server: Gateway, models: list[str], leave: Callable[[], float | None]) -> None:
    """Callers with two budgets, in a run, and with neither."""
    key = make_key(server, "budgeted", "--budget", "100000/day", "--budget", "500000/month")
    drawn = random.Random(11)

    def another(**whose: Any) -> Ask:
        fields = {"stream": drawn.random() < 0.5, "max_tokens": 20}
        return Ask(server, drawn.choice(models), fields=fields, leave_after=leave(), **whose)

    for whose in ({"key": key}, {"run": "the-run"}, {"key": key, "run": "its-run"}, {}):
        callers.add(6, lambda whose=whose: another(**whose))


def check(books: Books, seen: Seen) -> list[dict[str, Any]]:
    """Whoever reached the vendor has a row, nobody else has one, and nothing is lost."""
    rows = books.settled()
    reached = {marker_of(call) for call in seen.calls if call.received_at is not None}
    assert reached - markers(rows) == set()
    assert {row["exactness"] for row in rows} <= {"exact", "estimated"}
    return rows


def test_callers_who_leave(server: Gateway, books: Books, seen: Seen) -> None:
    with load() as callers:
        begin(callers, server, FINE, lambda: random.choice([None, random.uniform(0, 0.3)]))
        until(lambda: sum(one.said is None for one in callers.heard) > 100)
        callers.stop()
    rows = check(books, seen)
    assert {row["exactness"] for row in rows} == {"exact", "estimated"}
    assert min(row["cost"] for row in rows if row["status"] == 200) > 0


def test_vendors_that_fail(server: Gateway, books: Books, seen: Seen) -> None:
    with load() as callers:
        begin(callers, server, FINE + FAULTY, lambda: random.choice([None, None, random.uniform(0, 2.0)]))
        until(lambda: len({row["error"] for row in books.rows()}) > 5 and len(callers.heard) > 300)
        callers.stop()
    rows = check(books, seen)
    refused = [row for row in rows if row["status"] in (400, 429, 502, 503) and not row["stream"]]
    assert refused
    assert {row["cost"] for row in refused} == {0}


@pytest.mark.parametrize("grace", ["10", "0.5"])
def test_a_server_that_is_told_to_stop(vendor: Upstream, gateway: Serve, books: Books, seen: Seen, grace: str) -> None:
    """Within its grace, and when that is too short for some."""
    server = gateway(
        vendor,
        models=MODELS,
        WEB_CONCURRENCY="2",
        DATABASE_URL=books.url,
        MAX_COST_PER_RUN="100000",
        LOG_LEVEL="WARNING",
        GRACEFUL_TIMEOUT_SECONDS=grace,
    )
    with load() as callers:
        begin(callers, server, [*FINE, "openai/stream-15-0.2", "openai/slow-0.9"], lambda: None)
        until(lambda: len(callers.heard) > 50)
        gevent.sleep(random.uniform(0, 0.5))
        server.signal(signal.SIGTERM)
        until(lambda: server._running().poll() is not None)
        heard = callers.stop()
    assert server.wait() == 0
    assert books.open_calls() == []
    assert books.workers() == []
    rows = check(books, seen)
    answered = {one.ask.marker for one in heard if one.status == 200}
    assert answered <= markers(rows)
    assert not [line for line in server.log_lines() if line["level"] in ("error", "critical")]
