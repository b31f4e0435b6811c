"""A thousand callers at once, and a budget of 2 USD: never above it, and all of it used."""

from __future__ import annotations

from itertools import count

import pytest

from tests.drills.audit import USD, Books, make_key
from tests.drills.conftest import DATABASES, Seen, Serve, new_books
from tests.drills.crowd import Ask, Heard, crowd, marker_of
from tests.upstream import Gateway, Upstream

CAP = 2 * USD
CALLERS = 1000
TOKEN = 2_000_000  # nano-USD of one token of output
_numbers = count(1)
MODELS = """
[defaults]
attempts = 1
[providers.openai]
shapes = ["*"]
[prices."openai/*"]
input = 0
output = 2000
[prices."openai/flat"]
call = 0.01
"""


@pytest.fixture(scope="module", params=DATABASES)
def books(request: pytest.FixtureRequest) -> Books:
    """The same for all tests on a database, as their server is."""
    return new_books(request)


@pytest.fixture(scope="module")
def server(vendor: Upstream, serve: Serve, books: Books) -> Gateway:
    return serve(
        vendor,
        models=MODELS,
        WEB_CONCURRENCY="2",
        DATABASE_URL=books.url,
        MAX_COST_PER_RUN="2.0",
        STORE_TIMEOUT_SECONDS="20",  # on a busy machine too, no call is to be refused but for its cost
        LOG_LEVEL="WARNING",
    )


@pytest.fixture(params=["run", "key"])
def whose(request: pytest.FixtureRequest, server: Gateway) -> dict[str, str]:
    """A run, or a managed key with two budgets: a new one for each test."""
    name = f"{request.param}-{next(_numbers)}"
    if request.param == "run":
        return {"run": name}
    return {"key": make_key(server, name, "--budget", "2/total", "--budget", "500/month")}


def ended(heard: list[Heard], books: Books, seen: Seen) -> list[dict[str, object]]:
    """The rows, which are those of the calls that were answered, and of nobody else."""
    answered = {one.ask.marker for one in heard if one.status == 200}
    refused = [one for one in heard if one.status != 200]
    assert {one.status for one in refused} == {402}
    assert {one.code for one in refused} <= {"run_budget_exceeded", "budget_exceeded"}
    assert sorted(map(marker_of, seen.calls)) == sorted(answered)
    rows = [row for row in books.settled() if row["marker"] in answered]
    assert len(rows) == len(answered)
    assert {row["exactness"] for row in rows} == {"exact"}
    return rows


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_never_above_and_within_one_call_below(
    server: Gateway, books: Books, seen: Seen, whose: dict[str, str], streamed: bool
) -> None:
    """A call may cost 10 tokens and costs 5: what was reserved too much is given to others."""
    fields = {"stream": streamed, "max_tokens": 10}
    heard = crowd(Ask(server, "openai/m", fields=fields, **whose) for _ in range(CALLERS))
    more = heard
    while any(one.status == 200 for one in more):  # what was given back is for whoever asks next
        more = crowd(Ask(server, "openai/m", fields=fields, **whose) for _ in range(20))
        heard += more
    rows = ended(heard, books, seen)
    assert {row["cost"] for row in rows} == {5 * TOKEN}
    spent = sum(row["cost"] for row in rows)
    assert CAP - 10 * TOKEN < spent <= CAP


def test_calls_whose_cost_is_known_use_it_up_to_the_last_cent(
    server: Gateway, books: Books, seen: Seen, whose: dict[str, str]
) -> None:
    heard = crowd(Ask(server, "openai/flat", **whose) for _ in range(CALLERS))
    rows = ended(heard, books, seen)
    assert (len(rows), sum(row["cost"] for row in rows)) == (200, CAP)


def test_all_are_open_at_once(server: Gateway, books: Books, seen: Seen, vendor: Upstream) -> None:
    """Every caller waits for an answer at the same time; not one call too many was let through to the vendor."""
    heard = crowd(
        Ask(server, "openai/slow-3", run="at once", fields={"stream": True, "max_tokens": 10}) for _ in range(CALLERS)
    )
    rows = ended(heard, books, seen)
    assert len(rows) <= 200
    assert max_open(seen) <= CAP // (10 * TOKEN)


def max_open(seen: Seen) -> int:
    """The most calls that the vendor had at any moment."""
    moves = sorted([(call.at, 1) for call in seen.calls] + [(call.ended_at or 0.0, -1) for call in seen.calls])
    most = now = 0
    for _, move in moves:
        now += move
        most = max(most, now)
    return most
