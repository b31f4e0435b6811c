"""Several answers that are asked for side by side, under a budget: however they end, nothing stays reserved."""

from __future__ import annotations

import json
from itertools import count
from urllib.parse import urlencode

import pytest

from tests.drills.audit import Books, make_key
from tests.drills.client import Connection, connected
from tests.drills.conftest import Seen, Serve
from tests.drills.crowd import until
from tests.lib.assessment.grading.sheets import RUBRIC_TEXT
from tests.upstream import Gateway, Upstream

MODELS = """
[defaults]
attempts = 1
[rest]
failures = 1000
[providers.openai]
shapes = ["*"]
[providers.anthropic]
kind = "anthropic"
title = "Anthropic"
"""
VOTES = 5
FORM = urlencode(
    {"code": "rect(1, 2, 3, 4);", "prompt": "Grade.", "rubric": RUBRIC_TEXT}
    | {"model": "anthropic/claude-sonnet-4-5", "num-responses": VOTES}
).encode()
_numbers = count(1)


@pytest.fixture(scope="module")
def server(vendor: Upstream, serve: Serve) -> Gateway:
    return serve(vendor, models=MODELS, ASSESSMENT_DEADLINE_SECONDS="3", WEB_CONCURRENCY="2")


@pytest.fixture
def books(server: Gateway) -> Books:
    return Books(f"sqlite:///{server.directory}/var/aiproxy.db")


@pytest.fixture
def key(server: Gateway) -> str:
    return make_key(server, f"votes-{next(_numbers)}", "--budget", "2/total", "--budget", "5/month")


def ask(connection: Connection) -> None:
    connection.post("/assessment", FORM, Content_Type="application/x-www-form-urlencoded")


def assert_settled(books: Books, before: int, votes: int = VOTES) -> None:
    """Nothing is reserved, every call has its row, and what they cost is what the budgets lost."""
    until(lambda: not books.open_calls())
    spending = books.spending()
    assert {reserved for _, reserved in spending.values()} == {0}
    rows = books.rows()
    assert len(rows) - before == votes
    charged = sum(row["cost"] for row in rows for _ in json.loads(row["charged"]))
    assert charged == sum(spent for spent, _ in spending.values())


@pytest.mark.parametrize("abruptly", [False, True], ids=["closes", "resets"])
def test_the_caller_leaves(
    server: Gateway, vendor: Upstream, seen: Seen, books: Books, key: str, abruptly: bool
) -> None:
    before = len(books.rows())
    vendor.plan(*["silent"] * VOTES)
    with connected(server, key=key) as connection:
        ask(connection)
        until(lambda: len(seen.calls) == VOTES)
        assert len(books.open_calls()) == VOTES
        assert sum(reserved for _, reserved in books.spending().values()) > 0
        connection.close(abruptly=abruptly)
    until(lambda: all(call.cancelled for call in seen.calls))
    assert_settled(books, before)


@pytest.mark.parametrize(
    "behaviours",
    [["silent"] * VOTES, ["ok", "silent", "error-500", "cut-body", "silent-head"]],
    ids=["silence", "everything"],
)
def test_the_deadline_comes(
    server: Gateway, vendor: Upstream, seen: Seen, books: Books, key: str, behaviours: list[str]
) -> None:
    before = len(books.rows())
    vendor.plan(*behaviours)
    with connected(server, key=key) as connection:
        ask(connection)
        said = connection.said()
    assert (said.status, b"Anthropic" in said.body) == (504, True)
    assert len(seen.calls) == VOTES
    assert_settled(books, before)


def test_a_budget_for_some_of_them(server: Gateway, vendor: Upstream, seen: Seen, books: Books) -> None:
    """An answer is reserved at 4,096 tokens of 15 USD a million: two of them fit, and the others are refused."""
    before = len(books.rows())
    key = make_key(server, f"votes-{next(_numbers)}", "--budget", "0.14/total")
    vendor.plan(*["silent"] * 2)
    with connected(server, key=key) as connection:
        ask(connection)
        said = connection.said()
    assert said.status == 504
    assert len(seen.calls) == 2
    assert_settled(books, before, 2)
