"""What a call may cost before it, and what the books say after it, on every way a call can end."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from lib.access import Caller
from lib.base import Budget
from lib.base.errors import AIProxyError, BudgetExceeded, Forbidden, RateLimited, StoreUnavailable, Unpriced
from lib.gateway import Call
from lib.limits import refuse_hidden_costs
from lib.stores import Sql
from lib.wire import JsonBody, Path, Shape, path_of
from tests.lib.gateway.door import CHAT, TERMS, Door, leave_soon
from tests.lib.stores.books import held, open_calls
from tests.upstream import Answer, Behaviour, Upstream, deliver

MESSAGE, EMBEDDING, COUNT = (path_of(shape) for shape in (Shape.MESSAGE, Shape.EMBEDDING, Shape.TOKEN_COUNT))
PRICES = """
[prices."*/*"]
input = 1.0
output = 2.0
cache_read = 0.1
cache_write = 1.25
cache_write_1h = 2.0
"""
USD = 10**9
TOTAL = ("key:1", "total", 0)
RICH = Caller("rich", owner="key:1", budgets=(Budget(USD, "total"),), key="1", tags={"team": "a"})
ROWS = Sql("SELECT cost, exactness, input_tokens, output_tokens, status, error, attempts, client_gone FROM calls")
ALL = Sql("SELECT * FROM calls")


@pytest.fixture(autouse=True)
def prices(door: Door) -> None:
    door.open(PRICES)


def rich(door: Door, model: str = "openai/m", path: Path = CHAT, *, caller: Caller = RICH, **fields: Any) -> Call:
    call = door.call(model, path, **fields)
    call.caller = caller
    return call


def rows(door: Door) -> list[dict[str, Any]]:
    names = ("cost", "exactness", "input_tokens", "output_tokens", "status", "error", "attempts", "client_gone")
    return [dict(zip(names, found, strict=True)) for found in door.database.run(lambda s: s.rows(ROWS))]


def ended(door: Door, call: Call) -> dict[str, Any]:
    """Carry a call out, however it ends; its row. The books must agree with it."""
    try:
        reply = door.ask(call)
        if not isinstance(reply.body, bytes):
            try:
                list(reply.body)
            finally:
                reply.body.close()
    except AIProxyError:
        pass
    (row,) = rows(door)
    assert held(door.database) == {TOTAL: (row["cost"], 0)}
    assert open_calls(door.database) == 0
    return row


# ---- exactly ----


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "path"),
    [("openai/m", CHAT), ("anthropic/m", CHAT), ("openai/m", MESSAGE), ("anthropic/m", MESSAGE)],
)
def test_a_call_costs_what_the_vendor_counted(door: Door, model: str, path: Path, stream: bool) -> None:
    call = rich(door, model, path, stream=stream)
    row = ended(door, call)
    usage = call.record.usage
    assert usage is not None
    assert usage.output_tokens > 0
    assert row["cost"] == usage.input_tokens * 1000 + usage.output_tokens * 2000
    assert (row["exactness"], row["status"], row["attempts"], row["error"]) == ("exact", 200, 1, None)
    assert call.record.cost == row["cost"]
    assert door.tally.spent == {"exact": row["cost"] / 10**9}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("model", "path"), [("openai/m", CHAT), ("anthropic/m", MESSAGE), ("anthropic/m", CHAT)])
def test_the_cache_has_prices_of_its_own(door: Door, upstream: Upstream, model: str, path: Path, stream: bool) -> None:
    upstream.plan("cached")
    call = rich(door, model, path, stream=stream)
    row = ended(door, call)
    usage = call.record.usage
    assert usage is not None
    assert usage.cache_read_tokens > 0
    thousands = usage.input_tokens + 2 * usage.output_tokens + 1.25 * usage.cache_write_tokens
    assert row["cost"] == 1000 * thousands + 100 * usage.cache_read_tokens + 2000 * usage.cache_write_1h_tokens


def test_an_embedding_costs_its_input(door: Door) -> None:
    call = rich(door, "openai/m", EMBEDDING, input="words")
    row = ended(door, call)
    assert call.record.usage is not None
    assert (row["cost"], row["exactness"]) == (call.record.usage.input_tokens * 1000, "exact")


def test_counting_tokens_costs_nothing(door: Door) -> None:
    assert ended(door, rich(door, "anthropic/m", COUNT))["cost"] == 0


DEAR = """
[prices."openai/dear"]
input = 0
output = 100.0
[models.m]
targets = ["openai/dear"]
fallbacks = ["openai/m"]
"""


def test_the_place_that_answered_is_the_one_that_is_paid(door: Door, upstream: Upstream) -> None:
    door.open("[defaults]\nattempts = 1\n" + DEAR + PRICES)
    upstream.plan("error-503", "ok")
    call = rich(door, "m")
    row = ended(door, call)
    assert call.record.usage is not None
    assert row["cost"] == call.record.usage.input_tokens * 1000 + call.record.usage.output_tokens * 2000


def test_an_absurd_count_is_believed_up_to_a_point(door: Door, upstream: Upstream) -> None:
    usage = {"prompt_tokens": 2**53, "completion_tokens": 2**53, "total_tokens": 2**53}
    body = msgspec.json.encode({"choices": [{"index": 0, "message": {"content": "x"}}], "usage": usage})
    upstream.plan(Behaviour("absurd", lambda call: deliver(Answer((body,), "application/json"))))
    row = ended(door, rich(door))
    assert row["cost"] == 10**15
    assert row["input_tokens"] == row["output_tokens"] == 2**40


# ---- for nothing ----


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behaviour", ["error-500", "cut", "html-502", "false-ok-503", "empty-stream"])
def test_what_fails_before_content_is_free(door: Door, upstream: Upstream, behaviour: str, stream: bool) -> None:
    upstream.plan(behaviour, behaviour)
    row = ended(door, rich(door, stream=stream))
    assert (row["cost"], row["exactness"], row["attempts"]) == (0, "exact", 2)
    assert row["status"] >= 400
    assert row["error"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_vendor_that_is_silent_for_too_long_is_free_and_its_row_says_so(
    door: Door, upstream: Upstream, stream: bool
) -> None:
    door.open(PRICES + "[defaults]\nattempts = 1\ntimeouts = { first_byte = 0.2 }\n")
    upstream.plan("silent")
    row = ended(door, rich(door, stream=stream))
    assert (row["cost"], row["exactness"], row["status"], row["error"]) == (0, "exact", 504, "upstream_timeout")
    assert held(door.database)[TOTAL] == (0, 0)


@pytest.mark.parametrize("behaviour", ["error-400", "error-401", "quota"])
def test_what_is_refused_is_free(door: Door, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    row = ended(door, rich(door))
    assert (row["cost"], row["exactness"], row["attempts"]) == (0, "exact", 1)


def test_a_call_that_reached_nobody_has_no_row(door: Door) -> None:
    door.open(PRICES + '[models.m]\ntargets = ["openai/m"]\ntimeouts = { total = 0.000001 }\n')
    with pytest.raises(AIProxyError):
        door.ask(rich(door, "m"))
    assert rows(door) == []
    assert held(door.database) == {TOTAL: (0, 0)}


# ---- by estimate ----


@pytest.mark.parametrize("stream", [False, True])
def test_without_the_vendors_count_it_is_estimated(door: Door, upstream: Upstream, stream: bool) -> None:
    upstream.plan("nousage")
    row = ended(door, rich(door, stream=stream))
    assert row["exactness"] == "estimated"
    assert row["input_tokens"] > 0
    assert row["output_tokens"] >= 5
    assert row["cost"] == row["input_tokens"] * 1000 + row["output_tokens"] * 2000


@pytest.mark.parametrize(("model", "path"), [("openai/m", CHAT), ("anthropic/m", MESSAGE), ("anthropic/m", CHAT)])
@pytest.mark.parametrize("behaviour", ["cut-body-4", "error-after-4-500", "close-body-4"])
def test_a_stream_that_is_cut_is_billed_as_far_as_it_came(
    door: Door, upstream: Upstream, model: str, path: Path, behaviour: str
) -> None:
    upstream.plan(behaviour)
    row = ended(door, rich(door, model, path, stream=True))
    assert (row["exactness"], row["status"] >= 500) == ("estimated", True)
    assert 4 <= row["output_tokens"] <= 40
    if model == "anthropic/m":
        assert row["input_tokens"] == 21  # it said so at the beginning


@pytest.mark.parametrize("behaviour", ["silent-stream-4", "stream-300-0.02"])
def test_a_caller_who_leaves_pays_what_was_produced(door: Door, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    call = rich(door, stream=True)
    leave_soon(call, 0.3, content=True)
    row = ended(door, call)
    assert (row["exactness"], row["client_gone"]) == ("estimated", True)
    assert 3 <= row["output_tokens"] <= 100


def test_a_caller_who_leaves_between_two_attempts_pays_nothing(door: Door, upstream: Upstream) -> None:
    upstream.plan("retry-after-2")
    call = rich(door, max_tokens=500)
    leave_soon(call, 0.3)
    row = ended(door, call)
    assert (row["exactness"], row["cost"], row["client_gone"], row["attempts"]) == ("exact", 0, True, 1)


def test_a_caller_who_leaves_pays_for_the_time_of_the_last_vendor_alone(door: Door, upstream: Upstream) -> None:
    door.open(PRICES + "[defaults]\ntimeouts = { first_byte = 1.0 }\n")
    upstream.plan("silent", "silent")
    call = rich(door, max_tokens=500)
    leave_soon(call, 1.5)
    row = ended(door, call)
    assert (row["attempts"], row["exactness"]) == (2, "estimated")
    assert row["output_tokens"] < 60  # about half a second, not one and a half


def test_a_caller_who_leaves_before_anything_came_pays_for_the_time(door: Door, upstream: Upstream) -> None:
    upstream.plan("silent")
    call = rich(door, max_tokens=500)
    leave_soon(call, 0.3)
    row = ended(door, call)
    assert (row["exactness"], row["client_gone"], row["status"]) == ("estimated", True, 499)
    assert 10 <= row["output_tokens"] <= 200


@pytest.mark.parametrize(("most", "tokens"), [(500, 100), (60, 60)])
def test_a_caller_who_leaves_in_the_middle_pays_for_the_thought_before_it(
    door: Door, upstream: Upstream, most: int, tokens: int
) -> None:
    upstream.plan("stream-300-0.02")
    call = rich(door, stream=True, max_tokens=most)
    reply = door.ask(call)
    assert not isinstance(reply.body, bytes)
    next(iter(reply.body))
    call.record.first_byte = 2.0  # seconds in which a model that reasons shows nothing
    reply.body.close()
    (row,) = rows(door)
    assert (row["exactness"], row["client_gone"]) == ("estimated", True)
    assert tokens < row["output_tokens"] <= tokens + 20


# ---- no more than was reserved ----


@pytest.mark.parametrize(
    ("model", "path", "field"),
    [
        ("openai/m", CHAT, "max_tokens"),  # as this provider's row calls it
        ("anthropic/m", CHAT, "max_tokens"),
        ("openai/m", path_of(Shape.COMPLETION), "max_tokens"),
        ("openai/m", path_of(Shape.RESPONSE), "max_output_tokens"),
    ],
)
def test_an_answer_gets_the_maximum_that_was_reserved(
    door: Door, upstream: Upstream, model: str, path: Path, field: str
) -> None:
    door.ask(rich(door, model, path))
    assert upstream.calls[0].json[field] == TERMS.reserve_output


def test_a_maximum_that_is_named_stays(door: Door, upstream: Upstream) -> None:
    door.ask(rich(door, max_tokens=77))
    assert upstream.calls[0].json["max_tokens"] == 77
    assert "max_completion_tokens" not in upstream.calls[0].json


def test_without_a_budget_nothing_is_written_in(door: Door, upstream: Upstream) -> None:
    door.ask(door.call())
    assert not {"max_tokens", "max_completion_tokens"} & upstream.calls[0].json.keys()


@pytest.mark.parametrize("tool", ["web_search", "web_search_preview_2025_03_11", "file_search", "code_interpreter"])
def test_what_is_sold_apart_is_not_for_a_budget(door: Door, upstream: Upstream, tool: str) -> None:
    call = rich(door, "openai/m", path_of(Shape.RESPONSE), tools=[{"type": tool}])
    assert isinstance(door.failure(call), Unpriced)
    assert upstream.calls == []
    door.ask(rich(door, "openai/m", path_of(Shape.RESPONSE), tools=[{"type": "function", "name": "f"}]))


# ---- who may ----


def test_a_call_that_could_cost_more_than_is_left_is_not_sent(door: Door, upstream: Upstream) -> None:
    poor = Caller("poor", owner="key:1", budgets=(Budget(1_000_000, "total"),))
    error = door.failure(rich(door, caller=poor, max_tokens=1000))
    assert isinstance(error, BudgetExceeded)
    assert "0.001" in error.message
    assert door.tally.refusals == ["budget_exceeded"]
    assert upstream.calls == []
    assert rows(door) == []
    door.ask(rich(door, caller=poor, max_tokens=100))


def test_a_model_without_a_price_is_not_for_a_budget(door: Door, upstream: Upstream) -> None:
    door.open()
    assert isinstance(door.failure(rich(door, "openai/no-such-model")), Unpriced)
    assert upstream.calls == []
    door.ask(door.call("openai/no-such-model"))
    assert [(row["cost"], row["exactness"]) for row in rows(door)] == [(0, "unpriced")]


RESPONSE = path_of(Shape.RESPONSE)


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (RESPONSE, "background", True),
        (RESPONSE, "background", "true"),
        (RESPONSE, "tools", [{"type": "function"}, {"type": "image_generation"}]),
        (RESPONSE, "service_tier", "priority"),
        (CHAT, "service_tier", "performance"),
        (CHAT, "models", ["openai/o1-pro"]),
        (CHAT, "plugins", [{"id": "web"}]),
        (MESSAGE, "speed", "fast"),
    ],
)
def test_what_costs_more_than_anybody_is_told_is_not_for_a_budget(
    door: Door, upstream: Upstream, path: Path, field: str, value: Any
) -> None:
    model = "anthropic/m" if path is MESSAGE else "openai/m"
    error = door.failure(rich(door, model, path, **{field: value}))
    assert (isinstance(error, Unpriced), error.param) == (True, field)
    run = door.call(model, path, **{field: value})
    run.run = "r"
    assert isinstance(door.failure(run), Unpriced)
    assert upstream.calls == []
    door.ask(door.call(model, path, **{field: value}))
    assert len(upstream.calls) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", False),
        ("background", None),
        ("models", []),
        ("service_tier", "flex"),
        ("service_tier", ["priority"]),
        ("tools", [{"type": "function", "name": "image_generation"}, 7, {"type": ["x"]}]),
        ("tools", "image_generation"),
    ],
)
def test_what_is_no_dearer_is_for_a_budget_too(field: str, value: Any) -> None:
    refuse_hidden_costs(RESPONSE, JsonBody(json.dumps({"input": "Hoi", field: value}).encode()))


LISTED = '[prices."openai/m"]\ncontext_window = 1\n[models.m]\ntargets = ["openai/gpt-4o-audio-preview"]\n'
SPOKEN = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}


@pytest.mark.parametrize("asked", [SPOKEN, {"modalities": ["audio"]}, {"audio": {"voice": "alloy"}}])
def test_an_answer_in_sound_needs_a_price_for_sound(door: Door, upstream: Upstream, asked: dict[str, Any]) -> None:
    door.open(LISTED)
    error = door.failure(rich(door, "m", **asked))
    assert (type(error), error.param) == (Unpriced, "modalities")
    assert upstream.calls == []
    door.ask(rich(door, "m", modalities=["text"]))
    door.ask(door.call("m", **asked))  # without a budget
    door.open(LISTED + '[prices."openai/gpt-4o-audio-preview"]\ninput = 40\noutput = 80\n')
    door.ask(rich(door, "m", **asked))


def test_earlier_turns_that_no_budget_could_pay_for_are_not_sent(door: Door, upstream: Upstream) -> None:
    kept = {"path": path_of(Shape.RESPONSE), "previous_response_id": "resp_1", "max_output_tokens": 10}
    poor = Caller("poor", owner="key:2", budgets=(Budget(60_000_000, "total"),), key="2")
    assert isinstance(door.failure(rich(door, caller=poor, **kept)), BudgetExceeded)  # 50,000 tokens at 1.25
    assert upstream.calls == []
    door.ask(rich(door, caller=RICH, **kept))


def test_a_place_without_a_price_is_left_out(door: Door, upstream: Upstream) -> None:
    door.open('[prices."openai/m"]\ninput = 1\noutput = 1\n[models.m]\ntargets = ["openai/unknown", "openai/m"]\n')
    door.ask(rich(door, "m"))
    assert [call.model for call in upstream.calls] == ["m"]


def test_a_model_that_the_caller_may_not_ask_for(door: Door, upstream: Upstream) -> None:
    narrow = Caller("narrow", owner="key:1", models=("openai/gpt-*", "small"))
    error = door.failure(rich(door, caller=narrow))
    assert (isinstance(error, Forbidden), error.param) == (True, "model")
    assert upstream.calls == []
    door.ask(rich(door, "openai/gpt-4o", caller=narrow))


def test_a_run_has_a_cap_beside_the_callers_budgets(door: Door) -> None:
    call = rich(door)
    call.run = "run-1"
    door.ask(call)
    (cost,) = [row["cost"] for row in rows(door)]
    line = ("run:5:key:1/run-1", "total", 0)
    assert held(door.database) == {TOTAL: (cost, 0), line: (cost, 0)}
    standing = door.gateway.meter.run("key:1", "run-1")
    assert (standing.spent, standing.reserved, standing.line.cap) == (cost, 0, 2 * USD)
    big = rich(door, max_tokens=1_000_000)
    big.run = "run-1"
    assert isinstance(door.failure(big), BudgetExceeded)


def test_no_callers_run_is_another_callers(door: Door) -> None:
    """Owners are named by claims of tokens: a group, and a group in it."""
    for owner, run in (("token:acme/a", "b/c"), ("token:acme/a/b", "c")):
        call = rich(door, caller=Caller("x", owner=owner))
        call.run = run
        door.ask(call)
    first, second = (row["cost"] for row in rows(door))
    assert door.gateway.meter.run("token:acme/a", "b/c").spent == first > 0
    assert door.gateway.meter.run("token:acme/a/b", "c").spent == second > 0


def test_the_row_says_who_and_what(door: Door) -> None:
    call = rich(door)
    call.run = "r"
    door.ask(call)
    (row,) = door.database.run(lambda session: session.rows(ALL))
    assert {"the-id", "rich", "1", "r", '{"team":"a"}', "openai", "/v1/chat/completions", "openai/m", "m"} <= set(row)


# ---- without the books ----


def test_without_the_books_calls_with_a_budget_wait_for_better_days(door: Door, upstream: Upstream) -> None:
    door.lose_books()
    assert isinstance(door.failure(rich(door)), StoreUnavailable)
    assert upstream.calls == []


def test_and_those_without_one_are_written_down_later(door: Door) -> None:
    found = door.lose_books()
    door.ask(door.call())
    found()
    door.books.keep()
    assert [row["exactness"] for row in rows(door)] == ["exact"]


# ---- rates ----

QUICK = Caller("quick", owner="key:2", rpm=2, tpm=2000)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_says_what_is_left_of_the_rates(door: Door, stream: bool) -> None:
    reply = door.ask(rich(door, caller=QUICK, stream=stream, max_tokens=100))
    headers = dict(reply.headers)
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("2", "1")
    assert headers["x-ratelimit-limit-tokens"] == "2000"
    assert 1800 < int(headers["x-ratelimit-remaining-tokens"]) < 1900
    if not isinstance(reply.body, bytes):
        reply.body.close()


def test_a_call_beyond_the_rates_is_not_sent(door: Door, upstream: Upstream) -> None:
    for _ in range(2):
        door.ask(rich(door, caller=QUICK, max_tokens=10))
    error = door.failure(rich(door, caller=QUICK, max_tokens=10))
    assert isinstance(error, RateLimited)
    assert error.retry_after is not None
    assert len(upstream.calls) == 2
    assert dict(error.headers)["x-ratelimit-remaining-requests"] == "0"


def test_tokens_that_were_not_used_are_given_back(door: Door) -> None:
    caller = Caller("quick", owner="key:3", tpm=2000)
    for _ in range(5):
        door.ask(rich(door, caller=caller, max_tokens=1500))


def test_a_call_that_its_budget_refuses_gives_its_tokens_back(door: Door) -> None:
    caller = Caller("poor", owner="key:4", tpm=2000, budgets=(Budget(1_000_000, "total"),))
    for _ in range(3):
        assert isinstance(door.failure(rich(door, caller=caller, max_tokens=1500)), BudgetExceeded)
    door.ask(rich(door, caller=caller, max_tokens=100))


def test_a_failure_says_it_as_well(door: Door, upstream: Upstream) -> None:
    upstream.plan("error-400")
    reply = door.ask(rich(door, caller=QUICK))
    assert reply.status == 400
    assert dict(reply.headers)["x-ratelimit-remaining-requests"] == "1"
