"""`/usage`: whose rows anyone sees, as JSON and CSV, and every question that makes no sense."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lib.access import EVERYTHING, FAMILIES, Caller
from lib.base import Budget
from lib.ledger import BudgetRow, CallRow, Facts, milliseconds
from lib.limits import budget_lines, run_line
from lib.stores import Line
from lib.wiring import Services, build_services
from src import create_app
from tests.lib.stores.rows import DAY, call, put
from tests.src.conftest import BEARER, openai_error, settings

START = 1_769_817_600_000  # 2026-01-31
ADMIN = Caller("main", EVERYTHING)
MANAGED = Caller("a", FAMILIES, key="k1")
TOKEN = Caller("a", FAMILIES)
BUDGETS = (Budget(50 * 10**9, "month"), Budget(10**9, "total"))
BUDGETED = Caller("a", FAMILIES, budgets=BUDGETS, owner="key:k1", key="k1")
MARK = "zqMARKqz"


@pytest.fixture(scope="module")
def made() -> tuple[Services, list[str]]:
    """Services with six rows in their ledger, and the rows' ids, newest first."""
    services = build_services(settings())
    ids = put(services.database, [
        call(START, caller="a", key="k1", cost=1_500_000_000, input_tokens=10, model_asked="gpt-4o"),
        call(START + 1, caller="a", key="k1", cost=1, output_tokens=5, run="r1", tags='{"team":"x"}'),
        call(START + 2, caller="a", key=None, cost=2, exactness="unpriced"),
        call(START + DAY, caller="b", key="k2", cost=3, status=503, error="upstream_overloaded"),
        call(START + DAY, caller="=cmd|'/c'", key=None, cost=4, run="-1", exactness="lost", status=0),
        call(START + 2 * DAY, caller="main", key=None, model_asked='say "hi", please', exactness="estimated"),
    ])  # fmt: skip
    return services, ids


@pytest.fixture
def app(made: tuple[Services, list[str]]) -> Flask:
    return create_app(made[0].settings, made[0])


@pytest.fixture
def ask(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`ask("/usage", who, by="day")`: what a caller gets."""
    client = app.test_client()

    def get(path: str, who: Caller = ADMIN, headers: Any = None, **query: str) -> TestResponse:
        monkeypatch.setattr("src.routes.usage.caller", lambda: who)
        query = {name.rstrip("_"): value for name, value in query.items()}
        return client.get(path, query_string=query or None, headers={**BEARER, **(headers or {})})

    return get


def ids(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200
    return [row["id"] for row in answer.get_json()["data"]]


def table(answer: TestResponse) -> list[list[str]]:
    """The rows of a CSV answer, heads included."""
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.text.endswith("\r\n")
    return list(csv.reader(io.StringIO(answer.text, newline="")))


# ---- whose ----


def test_an_admin_sees_all(ask: Any, made: Any) -> None:
    assert ids(ask("/usage/calls")) == made[1]
    assert ask("/usage").get_json()["total"]["calls"] == 6


def test_a_managed_key_sees_its_own(ask: Any, made: Any) -> None:
    assert ids(ask("/usage/calls", MANAGED)) == made[1][4:]
    assert ask("/usage", MANAGED).get_json()["total"]["cost_usd"] == "1.500000001"


def test_a_caller_without_a_managed_key_sees_its_own_and_no_namesakes(ask: Any, made: Any) -> None:
    assert ids(ask("/usage/calls", TOKEN)) == [made[1][3]]
    assert ask("/usage", TOKEN).get_json()["total"]["unpriced"] == 1


@pytest.mark.parametrize("path", ["/usage/calls", "/usage"])
def test_others_are_refused_by_name_and_not_to_an_admin(ask: Any, path: str) -> None:
    others = (MANAGED, {"caller": "b"}), (MANAGED, {"key": "k2"}), (TOKEN, {"caller": "main"}), (TOKEN, {"key": "k1"})
    for who, query in others:
        answer = ask(path, who, **query)
        assert (answer.status_code, openai_error(answer)["param"]) == (403, *query)
    assert ask(path, MANAGED, caller="a", key="k1").status_code == 200
    assert ask(path, TOKEN, caller="a").status_code == 200
    assert ask(path, ADMIN, caller="b", key="k2").status_code == 200


@pytest.mark.parametrize("path", ["/usage/calls", "/usage"])
def test_a_key_that_runs_share_shows_a_run_to_those_who_know_it(ask: Any, path: str) -> None:
    shared = Caller("a", FAMILIES, run_required=True)
    answer = ask(path, shared)
    assert (answer.status_code, openai_error(answer)["param"]) == (403, "run")
    assert ask(path, shared, run="r1").get_json()["data"] == []  # the one of a managed key


def test_it_needs_a_key(app: Flask) -> None:
    for path in ("/usage", "/usage/calls", "/usage/budgets"):
        assert app.test_client().get(path).status_code == 401


# ---- rows and sums ----


def test_pages(ask: Any, made: Any) -> None:
    first = ask("/usage/calls", limit="4")
    assert ids(first) == made[1][:4]
    second = ask("/usage/calls", limit="4", cursor=first.get_json()["next"])
    assert (ids(second), second.get_json()["next"]) == (made[1][4:], None)


def test_filters(ask: Any, made: Any) -> None:
    assert ids(ask("/usage/calls", from_="2026-02-01", to="2026-02-02")) == made[1][1:3]
    assert ids(ask("/usage/calls", from_="2026-01-31T01:00:00.001+01:00", to="2026-02-01", run="r1")) == [made[1][4]]
    assert ids(ask("/usage/calls", tag="team=x")) == [made[1][4]]
    assert ids(ask("/usage/calls", status="503")) == ids(ask("/usage/calls", caller="b"))
    assert ids(ask("/usage/calls", exactness="lost")) != []


def test_sums(ask: Any) -> None:
    body = ask("/usage", by="day,caller", limit="2").get_json()
    assert [(group["day"], group["caller"]) for group in body["data"]] == [
        ("2026-02-02", "main"),
        ("2026-02-01", "=cmd|'/c'"),
    ]
    assert (body["truncated"], body["total"]["calls"], body["total"]["cost_usd"]) == (True, 6, "1.50000001")
    assert body["total"]["errors"] == 1
    (group,) = ask("/usage", by="model", from_="2026-01-31", to="2026-02-01", key="k1").get_json()["data"]
    assert group == {
        "model": "gpt-4o", "calls": 2, "errors": 0, "estimated": 0, "lost": 0, "unpriced": 0, "input_tokens": 10,
        "output_tokens": 5, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0,
        "cost_usd": "1.500000001",
    }  # fmt: skip
    assert [group["tags"] for group in ask("/usage", by="tag").get_json()["data"]] == [{}, {"team": "x"}]
    assert [group["tag:team"] for group in ask("/usage", by="tag:team").get_json()["data"]] == [None, "x"]


def test_answers_are_not_kept(ask: Any) -> None:
    answer = ask("/usage")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Accept" in answer.headers["Vary"]


# ---- CSV ----


def test_rows_as_csv(ask: Any, made: Any) -> None:
    answer = ask("/usage/calls", format="csv", limit="5")
    heads, *rows = table(answer)
    assert (tuple(heads), answer.headers["X-Next-Cursor"]) == (CallRow.__struct_fields__, made[1][4])
    assert [row[0] for row in rows] == made[1][:5]
    shown = [dict(zip(heads, row, strict=True)) for row in rows]
    assert (shown[0]["model"], shown[0]["stream"], shown[0]["run"]) == ('say "hi", please', "false", "")
    lost = next(row for row in shown if row["exactness"] == "lost")
    assert (lost["caller"], lost["run"], lost["status"]) == ("'=cmd|'/c'", "-1", "")
    assert [row["tags"] for row in shown if row["run"] == "r1"] == ['{"team":"x"}']


def test_sums_as_csv(ask: Any) -> None:
    answer = ask("/usage", headers={"Accept": "text/csv"}, by="day,tag:team", limit="3")
    heads, *rows = table(answer)
    assert heads[:3] == ["day", "tag:team", "calls"]
    assert heads[-1] == "cost_usd"
    assert [row[:3] for row in rows] == [["2026-02-02", "", "1"], ["2026-02-01", "", "2"], ["2026-01-31", "", "2"]]
    assert answer.headers["X-Truncated"] == "true"


def test_what_decides_between_json_and_csv(ask: Any) -> None:
    def kind(accept: str, **query: str) -> str:
        return ask("/usage", headers={"Accept": accept}, **query).mimetype

    assert kind("*/*") == kind("") == kind("text/html") == kind("application/json, text/csv") == "application/json"
    assert kind("text/csv") == kind("text/csv, application/json;q=0.5") == kind("*/*", format="csv") == "text/csv"
    assert kind("text/csv", format="json") == "application/json"


# ---- budgets ----


def test_budgets(ask: Any, made: Any) -> None:
    books = made[0].books
    lines: tuple[Line, ...] = budget_lines(BUDGETED.owner, BUDGETED.budgets, milliseconds())
    facts = Facts(milliseconds(), None, "a", "k1", "r9", {}, "openai", "/v1/chat/completions", "gpt-4o", stream=False)
    run = run_line(BUDGETED.owner, "r9", 2 * 10**9, milliseconds(), DAY)
    held = books.open(25 * 10**7, (*lines, run), facts)
    month, total, of_run = ask("/usage/budgets", BUDGETED, run="r9").get_json()["data"]
    books.release(held)
    assert month["resets_at"].endswith("-01T00:00:00.000Z")
    del month["resets_at"]
    assert month == {
        "period": "month", "run": None, "limit_usd": "50.00", "spent_usd": "0.00", "reserved_usd": "0.25",
        "left_usd": "49.75",
    }  # fmt: skip
    assert (total["period"], total["left_usd"], total["resets_at"]) == ("total", "0.75", None)
    assert (of_run["period"], of_run["run"], of_run["limit_usd"], of_run["left_usd"]) == ("run", "r9", "2.00", "1.75")


def test_budgets_of_who_has_none(ask: Any) -> None:
    assert ask("/usage/budgets").get_json() == {"data": []}
    heads, row = table(ask("/usage/budgets", run="unheard-of", format="csv"))
    assert tuple(heads) == BudgetRow.__struct_fields__
    assert row == ["run", "unheard-of", "2.00", "0.00", "0.00", "2.00", ""]


def test_a_managed_key_from_its_call_to_its_budget() -> None:
    services = build_services(settings())
    issued = services.managed_keys.create({"name": "team one", "budgets": ["5/day", "7/total"], "tags": {"team": "x"}})
    client = create_app(services.settings, services).test_client()
    own = {"Authorization": f"Bearer {issued.key}"}
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
    for headers in (own, BEARER):
        assert client.post("/v1/chat/completions", json=body, headers=headers).status_code == 200
    (row,) = client.get("/usage/calls", headers=own).get_json()["data"]
    assert (row["caller"], row["key"], row["tags"]) == ("team one", issued.about.id, {"team": "x"})
    assert len(client.get("/usage/calls", headers=BEARER).get_json()["data"]) == 2
    shown = client.get("/usage/budgets", headers=own).get_json()
    assert [(each["period"], each["left_usd"]) for each in shown["data"]] == [("day", "5.00"), ("total", "7.00")]
    assert client.get("/usage/budgets?key=team+one", headers=BEARER).get_json() == shown
    assert client.get("/usage/budgets?key=team+one", headers=own).get_json() == shown
    assert client.get("/usage/budgets?key=nobodys", headers=BEARER).status_code == 404
    for name in ("nobodys", "main"):
        assert client.get(f"/usage/budgets?key={name}", headers=own).status_code == 403


# ---- what makes no sense ----

BAD = {
    "from": ("2026-02-30", "yesterday", "1969-12-31", "2101-01-01", "9" * 10_000, "2026-01-31T08:00:00"),
    "to": ("", "2026-13-01", "-1", "NaN"),
    "limit": ("0", "5001", "-1", "x", "1.0", ""),
    "format": ("xml",),
    "run": ("", "r" * 257, "r" * 10_000, "a\0b", "a\nb"),
}
BAD_FILTERS = {
    "caller": ("x" * 10_000, "' OR '1'='1", "`id`", "\0"),
    "model": ('"; cat /etc/passwd', "a\\b", "<script>"),
    "tag": ("team", "=", "a=", "a b=c", "x" * 10_000),
    "status": ("0", "1000", "OK"),
    "exactness": ("certain",),
}
OF = {
    "/usage/calls": {**BAD, **BAD_FILTERS, "cursor": ("x", "0" * 31, "0" * 10_000, "' OR 1=1")},
    "/usage": {**BAD, **BAD_FILTERS, "by": ("", "id", "day,day", "cost; --", "tag:", "x" * 10_000)},
    "/usage/budgets": {"run": BAD["run"], "key": BAD_FILTERS["caller"], "format": BAD["format"]},
}


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [(path, name, value) for path, bad in OF.items() for name, values in bad.items() for value in values],
    ids=lambda value: value[:12].encode("unicode_escape").decode(),
)
def test_bad_values_are_named_and_not_repeated(ask: Any, path: str, name: str, value: str) -> None:
    for given in (value, f"{MARK}';\0{value}"):
        answer = ask(path, **{name: given})
        assert (answer.status_code, openai_error(answer)["param"]) == (400, name)
        assert MARK not in answer.text


@pytest.mark.parametrize("path", OF)
def test_unknown_and_doubled_parameters(ask: Any, path: str) -> None:
    for name, shown in (("caler", "caler"), ("a'b", None), (MARK + "1", None), ("x" * 10_000, None), ("\0", None)):
        answer = ask(path, **{name: "1"})
        assert (answer.status_code, openai_error(answer)["param"]) == (400, shown)
        assert MARK not in answer.text
    answer = ask(f"{path}?format=csv&format=csv")
    assert (answer.status_code, openai_error(answer)["param"]) == (400, "format")
    assert ask(f"{path}?key=%ff%fe").status_code == 400


def test_times_out_of_order(ask: Any) -> None:
    answer = ask("/usage", from_="2026-02-01", to="2026-01-31")
    assert (answer.status_code, openai_error(answer)["param"]) == (400, "from")


@pytest.mark.parametrize("path", ["/usage/calls", "/usage", "/usage/budgets?run=r1"])
def test_a_database_that_is_away_is_a_503(path: str) -> None:
    client = create_app(settings(DATABASE_URL="sqlite:////proc/none/x.db")).test_client()
    answer = client.get(path, headers=BEARER)
    assert (answer.status_code, openai_error(answer)["code"]) == (503, "store_unavailable")
    assert client.get("/usage/calls?limit=0", headers=BEARER).status_code == 400
