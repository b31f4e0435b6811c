"""One cap for a run, whichever way its calls take, however many come at once, and after a restart."""

from __future__ import annotations

import socket
from collections.abc import Callable

import gevent
import pytest
from gevent.threadpool import ThreadPool

from lib.ledger import Books
from lib.stores import Accounts, open_database
from tests.agents.conftest import HELLO, SECONDS, Agent, Said, delta, events, used
from tests.upstream import Recipe, Upstream

CHAT = {"model": "deepseek-ai/DeepSeek-V3-0324", "messages": HELLO, "max_tokens": 10}
HALF = used(3_703_704)  # 1 USD at 0.27 for a million


def openai(agent: Agent, run: str | None) -> Said:
    return agent.ask("POST", "/v1/chat/completions", CHAT, X_Run_ID=run or "")


def tidy(agent: Agent) -> None:
    """Delete what is too old, as every worker does once a minute."""
    database = open_database(f"sqlite:///{agent.gateway.directory}/var/aiproxy.db", 5.0)
    Books(Accounts(database)).tidy()
    database.close()


def test_one_cap_for_every_way(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(events(delta("x"), HALF), events(delta("x"), HALF))
    assert agent.guide(run).json == "x"
    assert agent.infer(run).json["content"] == "x"
    assert agent.usage(run)["used_cost_usd"] > 1.99
    answer = openai(agent, run)
    assert (answer.status, answer.json["error"]["code"]) == (402, "run_budget_exceeded")
    assert agent.ask("POST", "/v1/messages", {**CHAT, "model": "claude-sonnet-4-5"}, X_Run_ID=run).status == 402
    assert agent.guide_embedding(run).json["error"].startswith("Your agent version has reached")
    assert openai(agent, None).status == 200
    assert len(chutes.calls) == 3


def test_calls_of_openais_dialect_count(agent: Agent, chutes: Upstream, run: str) -> None:
    assert openai(agent, run).status == 200
    assert agent.usage(run)["used_cost_usd"] > 0


def test_gradings_count(agent: Agent, chutes: Upstream, run: str) -> None:
    form = {"model": CHAT["model"], "code": "rect();", "prompt": "Grade.", "rubric": "Key Concept\nA\n"}
    chutes.plan(events(delta("x"), HALF), events(delta("x"), HALF))
    assert agent.guide(run).json == "x"
    assert agent.infer(run).json["content"] == "x"
    graded = agent.ask("POST", "/assessment", form, X_Run_ID=run)
    assert (graded.status, len(chutes.calls)) == (402, 2)


@pytest.mark.parametrize("name", ["x" * 257, "a\tb", "caf\xff"])
def test_a_run_has_a_printable_name(agent: Agent, chutes: Upstream, name: str) -> None:
    answer = openai(agent, name)
    assert (answer.status, answer.json["error"]["param"]) == (400, "X-Run-ID")
    assert name not in answer.json["error"]["message"]
    assert chutes.calls == []


def test_a_name_beyond_ascii_is_one_and_the_same(agent: Agent, chutes: Upstream) -> None:
    chutes.plan(events(delta("x"), used(8_000_000)))
    assert openai(agent, "Läufer".encode().decode("latin-1")).status in (200, 502)
    assert "error" in agent.guide("Läufer").json


def test_many_at_once_do_not_exceed_the_cap(agent: Agent, chutes: Upstream, run: str) -> None:
    """Each call is reserved at its worst: 300,000 bytes of prompt are 100,000 tokens at most, 0.027 USD."""
    text = "word " * 60_000
    pool = ThreadPool(40)
    try:
        calls = [pool.spawn(agent.guide, run, messages=[{"role": "user", "content": text}]) for _ in range(120)]
        answers = [call.get() for call in calls]
    finally:
        pool.kill()
    assert {answer.status for answer in answers} == {200}
    assert agent.usage(run)["used_cost_usd"] < 2
    assert agent.usage(run)["reserved_cost_usd"] == 0
    assert sum(answer.json == Recipe().text for answer in answers) >= 70


def test_reserved_money_is_gone_for_others(started: Callable[..., Agent], vendor: Upstream, run: str) -> None:
    """A prompt that fills the context window of 131,072 tokens is reserved at 0.036 USD."""
    vendor.forget()
    vendor.plan("slow-2", "slow-2", "slow-2")
    agent = started(MAX_COST_PER_RUN="0.12")
    messages = [{"role": "user", "content": "word " * 100_000}]
    pool = ThreadPool(3)
    waiting = [pool.spawn(agent.infer, run, messages=messages) for _ in range(3)]
    vendor.wait(lambda seen: len(seen.calls) == 3)
    refused = agent.infer(run, messages=messages)
    assert (refused.status, "reserved for open calls" in refused.json["detail"]) == (429, True)
    assert [each.get().status for each in waiting] == [200, 200, 200]
    pool.kill()
    assert agent.usage(run)["reserved_cost_usd"] == 0


def test_what_a_run_has_spent_survives_a_restart(started: Callable[..., Agent], vendor: Upstream, run: str) -> None:
    vendor.forget()
    vendor.plan(events(delta("x"), used(8_000_000)))
    agent = started()
    assert agent.guide(run).json == "x"
    agent.gateway.stop()
    agent.gateway.start()
    assert agent.usage(run)["used_cost_usd"] == pytest.approx(2.16)
    assert "error" in agent.guide(run).json


def test_a_run_is_forgotten_when_its_time_is_over(started: Callable[..., Agent], vendor: Upstream, run: str) -> None:
    vendor.forget()
    vendor.plan(events(delta("x"), used(8_000_000)))
    agent = started(RUN_TTL_HOURS="0.0003")
    assert agent.guide(run).json == "x"
    assert "error" in agent.guide(run).json
    gevent.sleep(1.5)
    tidy(agent)
    assert agent.guide(run).json == Recipe().text


def test_the_operator_sets_cap_and_price(started: Callable[..., Agent], vendor: Upstream, run: str) -> None:
    vendor.forget()
    agent = started(MAX_COST_PER_RUN="0.5", EMBEDDING_PRICE_PER_SECOND="0.01")
    assert agent.guide_embedding(run).status == 200
    usage = agent.usage(run)
    assert usage["max_cost_usd"] == 0.5
    assert 0 < usage["used_cost_usd"] < 0.01


def test_an_agent_that_leaves_cancels_and_pays(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan("stream-1000-0.01")
    port = int(agent.gateway.settings["PORT"])
    body = b'{"run_id": "%b", "messages": [{"role": "user", "content": "x"}]}' % run.encode()
    head = (
        f"POST /agents/inference HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {agent.gateway.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), SECONDS) as sock:
        sock.sendall(head.encode() + body)
        chutes.wait(lambda seen: seen.calls and len(seen.calls[0].sent) > 20)
    chutes.wait(lambda seen: seen.cancelled)
    agent.gateway.wait_for_line(lambda line: line.get("run") == run and line.get("client_gone"))
    assert 0 < agent.usage(run)["used_cost_usd"] < 0.001


def test_the_miners_clients_failures_have_a_status_and_a_body(agent: Agent, chutes: Upstream, run: str) -> None:
    """Any client that posts to the two routes gets JSON, whatever happens; never a dropped connection."""
    for behaviour in ("cut-head", "close-body", "html"):
        chutes.plan(behaviour)
        assert "detail" in agent.infer(run).json


def test_without_any_vendor_the_echo_answers(started: Callable[..., Agent], run: str) -> None:
    agent = started(CHUTES_API_KEY="", OPENAI_API_KEY="", ANTHROPIC_API_KEY="")
    assert agent.guide(run).json == "Grüezi"
    assert agent.guide(run, model="echo/chunks=2").status == 200
    assert len(agent.guide_embedding(run).json[0]) == 1024
    assert agent.infer(run, "echo").json == {"content": "Grüezi", "tool_calls": []}
    assert len(agent.embed(run, "echo").json["embedding"]) == 1536
    assert [row["name"] for row in agent.ask("GET", "/api/inference-models").json] == ["echo"]


def test_mocked_models_keep_their_names(started: Callable[..., Agent], run: str) -> None:
    agent = started(MOCK_MODEL_RESPONSES="true")
    assert agent.guide(run).json == "Grüezi"
    assert agent.guide(run, model="gpt-4o-mini").json == "Grüezi"
    assert len(agent.guide_embedding(run).json[0]) == 1024
    assert agent.usage(run)["used_cost_usd"] > 0


def test_with_a_vendor_the_echo_is_no_agents_model(agent: Agent, chutes: Upstream, run: str) -> None:
    assert agent.infer(run, "echo").status == 404
    assert "not supported" in agent.guide(run, model="echo").json["error"]
