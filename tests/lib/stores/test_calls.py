"""The ledger, read from every store: each filter alone and with others, orders, groups, limits."""

from __future__ import annotations

import threading
import time

import pytest

from lib.base.errors import StoreUnavailable
from lib.stores import GROUPS, Calls, Database, Selection, Sql, open_database
from lib.stores import database as stores
from tests.databases import new_sqlite
from tests.lib.stores.books import NOW
from tests.lib.stores.rows import DAY, call, put

LARGE = 9_000_000_000_000_000_000  # nano-USD: near the most that 64 bits hold
UNUSUAL = {
    "caller": "b",
    "key": "k2",
    "run": "r1",
    "provider": "bedrock",
    "status": 503,
    "exactness": "lost",
    "family": "agents",
    "route": "/v1/messages",
}


@pytest.fixture
def calls(database: Database) -> Calls:
    return Calls(database)


def ids(calls: Calls, most: int = 100, **which) -> list[str]:
    return [row[0] for row in calls.rows(Selection(**which), most)]


def test_rows_come_newest_first_and_no_more_than_asked_for(calls, database):
    made = put(database, [call(NOW + n) for n in (5, 1, 9, 3)])
    assert ids(calls) == made
    assert ids(calls, 2) == made[:2]
    assert ids(calls, until=made[1]) == made[2:]
    assert ids(calls, since=made[1]) == made[:2]
    assert ids(calls, since=made[2], until=made[0]) == made[1:3]


@pytest.mark.parametrize("column", UNUSUAL)
def test_each_filter_finds_its_rows_alone(calls, database, column):
    usual, unusual = call(), call(NOW + 1, **{column: UNUSUAL[column]})
    put(database, [usual, unusual])
    assert ids(calls, **{column: UNUSUAL[column]}) == [unusual["id"]]
    assert ids(calls, **{column: UNUSUAL[column]}, until=unusual["id"]) == []


def test_a_model_is_asked_or_served(calls, database):
    made = put(database, [call(NOW + 2, model_asked="m"), call(NOW + 1, model_served="m"), call(model_asked="n")])
    assert ids(calls, model="m") == made[:2]


def test_callers_without_a_managed_key(calls, database):
    managed, plain = call(key="k1"), call(NOW + 1, key=None)
    put(database, [managed, plain])
    assert ids(calls, caller="a", keyless=True) == [plain["id"]]


@pytest.mark.parametrize("name", ["team", "a.b", "-", "$", "1"])
def test_tags(calls, database, name):
    tagged = call(tags=f'{{"other":"blue","{name}":"blue"}}')
    put(database, [tagged, call(tags=f'{{"{name}":"red"}}'), call(tags='{"other":"blue"}'), call()])
    assert ids(calls, tag=name, tag_value="blue") == [tagged["id"]]
    found, total = calls.sums(Selection(), ("tag",), 10, name)
    assert sorted((row[0] or "", row[1]) for row in found) == [("", 2), ("blue", 1), ("red", 1)]
    assert total is None


@pytest.mark.parametrize("value", ["' OR 1=1 --", '"', "%", ":caller", "%(caller)s", "\\", "ünïcode 🐦"])
def test_values_are_values(calls, database, value):
    made = call(caller=value, run=value, model_asked=value)
    put(database, [made, call()])
    for column in ("caller", "run", "model"):
        assert ids(calls, **{column: value}) == [made["id"]]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_can_be_asked_for(calls, database, group):
    put(database, [call(cost=1), call(cost=2)])
    found, total = calls.sums(Selection(), (group,), 10)
    assert ([row[1] for row in found], total) == ([2], None)


def test_groups_of_time_come_newest_first_then_the_dearest(calls, database):
    put(database, [
        call(0, caller="a", cost=9),
        call(DAY - 1, caller="b", cost=10),
        call(DAY, caller="a", cost=1),
        call(DAY, caller="b", cost=1),
    ])  # fmt: skip
    found, _ = calls.sums(Selection(), ("day", "caller"), 10)
    assert [tuple(row[:2]) for row in found] == [(1, "a"), (1, "b"), (0, "b"), (0, "a")]
    found, _ = calls.sums(Selection(), ("caller",), 10)
    assert [row[0] for row in found] == ["b", "a"]


def test_what_is_cut_is_told_and_the_total_is_of_all(calls, database):
    put(database, [call(run=f"r{n}", cost=n, error="x" if n == 3 else None) for n in range(5)])
    found, total = calls.sums(Selection(), ("run",), 3)
    assert [row[0] for row in found] == ["r4", "r3", "r2"]
    assert (total[0], total[1], total[-1]) == (5, 1, 10)
    assert calls.sums(Selection(), ("run",), 5)[1] is None


def test_sums_go_beyond_64_bits(calls, database):
    put(database, [call(cost=LARGE + 1) for _ in range(4)])
    (row,), _ = calls.sums(Selection(), ("day",), 10)
    assert int(row[-2]) * 10**9 + int(row[-1]) == 4 * (LARGE + 1)


def test_nothing_is_no_group(calls):
    found, total = calls.sums(Selection(), ("day",), 10)
    assert (list(found), total) == ([], None)


# ---- how long reports may take ----


def test_no_more_than_two_reports_at_once(database):
    under_way, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(stores.REPORTS, timeout=10)

    def work(session):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        both.wait()  # who comes alone does not go on
        with lock:
            under_way -= 1

    threads = [threading.Thread(target=database.report, args=(work,)) for _ in range(3 * stores.REPORTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, both.broken) == (stores.REPORTS, False)


def test_a_report_on_a_file_ends_when_its_time_is_over(monkeypatch):
    monkeypatch.setattr("lib.stores.sqlite.REPORT_SECONDS", 0.1)
    opened = open_database(new_sqlite(), 5.0)  # on PostgreSQL its own time-outs do this
    endless = Sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n")
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        opened.report(lambda session: session.rows(endless))
    assert time.monotonic() - started < 5


def test_a_database_without_tables_or_place_is_unavailable(tmp_path):
    for path in (tmp_path / "new.db", "/proc/none/x.db"):
        with pytest.raises(StoreUnavailable):
            Calls(open_database(f"sqlite:///{path}", 1.0)).rows(Selection(), 1)
