"""Reports on every store: sums are those of plain Python, pages join to the whole."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.base.money import to_nano
from lib.ledger import COUNTS, Grouping, Reports, moment, report
from lib.stores import Selection
from tests.lib.stores.books import NOW
from tests.lib.stores.rows import DAY, call, clear, put

LARGE = 10**18
ON_ALL_STORES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
names = st.sampled_from(["a", "B", "é", "a'b"])
tokens = st.integers(0, 2**40)
rows = st.builds(
    call,
    time=st.integers(NOW - 3 * DAY, NOW),
    caller=names,
    key=st.none() | names,
    run=st.none() | names,
    tags=st.none() | st.builds(lambda team: msgspec.json.encode({"team": team}).decode(), names),
    model_asked=names,
    model_served=st.none() | names,
    provider=st.none() | names,
    status=st.sampled_from([0, 200, 429]),
    error=st.none() | st.just("code"),
    exactness=st.sampled_from(["exact", "estimated", "unpriced", "lost"]),
    cost=st.integers(0, LARGE),
    input_tokens=tokens,
    output_tokens=tokens,
    cache_read_tokens=tokens,
    cache_write_tokens=tokens,
    reasoning_tokens=tokens,
)
groupings = st.lists(
    st.sampled_from(["day", "hour", "model", "model_served", "caller", "run", "tag", "tags", "provider", "status"]),
    min_size=1, max_size=4, unique=True,
).map(lambda by: Grouping(tuple(by), "team" if "tag" in by else None))  # fmt: skip


@pytest.fixture
def reports(database) -> Reports:
    return Reports(database)


def value(row: dict[str, Any], name: str) -> Any:
    """What a group says of a row, reckoned here."""
    tags = msgspec.json.decode(row["tags"] or "{}")
    return {
        "day": moment(row["time"])[:10],
        "hour": moment(row["time"])[:13] + ":00:00Z",
        "model": row["model_asked"],
        "tag": tags.get("team"),
        "tags": tags,
        "status": row["status"] or None,
    }.get(name, row.get(name))


def added(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums of rows, reckoned here."""
    sums: dict[str, Any] = {name: sum(row[name] for row in found) for name in COUNTS if name.endswith("_tokens")}
    sums |= {name: sum(row["exactness"] == name for row in found) for name in ("estimated", "lost", "unpriced")}
    cost = Decimal(sum(row["cost"] for row in found)).scaleb(-9)
    return {**sums, "calls": len(found), "errors": sum(row["error"] is not None for row in found), "cost_usd": cost}


def read(sums: dict[str, Any]) -> dict[str, Any]:
    """Sums with their amount as a number."""
    assert isinstance(sums["cost_usd"], str)
    return {**{name: sums[name] for name in COUNTS}, "cost_usd": Decimal(sums["cost_usd"])}


@ON_ALL_STORES
@given(st.lists(rows, max_size=20), groupings)
def test_sums_are_those_of_plain_python(reports, database, made, grouping):
    clear(database)
    put(database, made)
    expected = defaultdict(list)
    for row in made:
        expected[msgspec.json.encode([value(row, name) for name in grouping.by])].append(row)
    found = reports.sums(Selection(), grouping, 100)
    columns = grouping.columns()
    groups = {msgspec.json.encode([group[column] for column in columns]): read(group) for group in found.groups}
    assert groups == {key: added(group) for key, group in expected.items()}
    assert (read(found.total), found.truncated) == (added(made), False)


@ON_ALL_STORES
@given(st.lists(rows, min_size=2, max_size=20), st.integers(1, 3))
def test_a_total_counts_what_is_cut_too(reports, database, made, limit):
    clear(database)
    put(database, made)
    found = reports.sums(Selection(), Grouping(("hour",)), limit)
    assert found.truncated == (len({value(row, "hour") for row in made}) > limit)
    assert len(found.groups) <= limit
    assert read(found.total) == added(made)


@ON_ALL_STORES
@given(st.lists(rows, max_size=20), st.integers(1, 7), st.integers(1, 3), st.sampled_from([None, "a"]))
def test_pages_join_to_the_whole(reports, database, made, limit, block, caller):
    clear(database)
    whole = put(database, [row for row in made if caller in (None, row["caller"])])
    put(database, [row for row in made if caller not in (None, row["caller"])])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "BLOCK", block)
        joined: list[str] = []
        cursor = None
        while True:
            page = reports.page(Selection(caller=caller, until=cursor), limit)
            joined += [row.id for row in page.rows]
            assert len(page.rows) == limit or page.next is None
            cursor = page.next
            if cursor is None:
                break
            put(database, [call(NOW + DAY, caller="a")])  # newer ones do not disturb
    assert joined == whole


def test_a_row_as_it_is_shown(reports, database):
    (made,) = put(database, [call(
        1_700_000_000_007, tags='{"team":"x"}', run="r", model_served="gpt-4o-2024", provider="openai", error="code",
        input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4, reasoning_tokens=5,
        cost=to_nano(Decimal("0.0000225")), first_byte_ms=6, total_ms=7, stream=True, client_gone=True, charged="[1]",
    )])  # fmt: skip
    (row,) = reports.page(Selection(), 1).rows
    assert msgspec.json.decode(msgspec.json.encode(row)) == {
        "id": made, "time": "2023-11-14T22:13:20.007Z", "caller": "a", "key": "k1", "run": "r", "tags": {"team": "x"},
        "family": "openai", "route": "/v1/chat/completions", "model": "gpt-4o", "model_served": "gpt-4o-2024",
        "provider": "openai", "attempts": 1, "status": 200, "error": "code", "input_tokens": 1, "output_tokens": 2,
        "cache_read_tokens": 3, "cache_write_tokens": 4, "reasoning_tokens": 5, "cost_usd": "0.0000225",
        "exactness": "exact", "first_byte_ms": 6, "total_ms": 7, "stream": True, "client_gone": True,
        "request_id": "the-id",
    }  # fmt: skip


def test_a_lost_call_has_no_status(reports, database):
    put(database, [call(status=0, exactness="lost")])
    (row,) = reports.page(Selection(), 1).rows
    assert (row.status, row.tags, row.stream, row.total_ms) == (None, {}, False, None)


def test_sums_of_nothing(reports):
    found = reports.sums(Selection(), Grouping(("model",)), 5)
    assert (found.groups, found.truncated) == ([], False)
    assert found.total == {**dict.fromkeys(COUNTS, 0), "cost_usd": "0.00"}
