"""The migration guide's contract: strings or errors with status 200, embeddings byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agents.conftest import DEFAULT, HELLO, Agent, delta, events, sent, used, whole
from tests.upstream import Recipe, Upstream

CAP = (
    "Your agent version has reached the maximum cost for this evaluation run. "
    "Please do not request more inference from this agent version."
)
FAILED = {"detail": "Failed to get inference due to internal server error. Please try again later."}
ALL_OF_IT = used(7_407_407)  # as good as 2 USD at 0.27 for a million


def test_health_needs_no_key_and_has_its_very_bytes(agent: Agent) -> None:
    answer = agent.ask("GET", "/health", Authorization="")
    assert (answer.status, answer.body) == (200, b'{"status":"healthy","service":"ridges-ai-proxy"}')


@pytest.mark.parametrize("authorization", ["", "Bearer wrong-key-0123456789", "Bearer None", "Bearer "])
@pytest.mark.parametrize("path", ["/agents/inference", "/agents/embedding", "/api/inference", "/api/embedding"])
def test_the_key_comes_before_the_body(agent: Agent, path: str, authorization: str) -> None:
    answer = agent.ask("POST", path, b"{ no json", Authorization=authorization)
    assert (answer.status, answer.json) == (401, {"detail": "Invalid API key"})


@pytest.mark.parametrize("path", ["/api/usage?evaluation_run_id=x", "/api/inference-models", "/api/embedding-models"])
def test_what_was_open_to_all_needs_the_key(agent: Agent, path: str) -> None:
    assert agent.ask("GET", path, Authorization="").status == 401


def test_the_answer_is_a_string(agent: Agent, chutes: Upstream, run: str) -> None:
    answer = agent.guide(run)
    assert (answer.status, answer.json) == (200, Recipe().text)
    (call,) = chutes.calls
    assert call.path == "/v1/chat/completions"
    assert call.header("authorization") == "Bearer cpk-vendor-chutes-0123456789"
    assert sent(call) == {"model": DEFAULT, "messages": HELLO, "max_tokens": 1024, "temperature": 0.7}


@pytest.mark.parametrize(("given", "asked"), [(None, 0.7), (0, 0), (1.5, 1.5), ("0.2", 0.2)])
def test_the_temperature(agent: Agent, chutes: Upstream, run: str, given: Any, asked: float) -> None:
    assert agent.guide(run, temperature=given).status == 200
    assert chutes.calls[0].json["temperature"] == asked


def test_deltas_are_joined_until_done_and_junk_lines_passed_over(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(events(": comment", delta("Grü"), "junk", delta("ezi"), used(9), "data: [DONE]", delta("!")))
    assert agent.guide(run).json in ("Grüezi", "Grüezi!")


def test_a_whole_answer_will_do(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(whole({"choices": [{"message": {"content": "Hoi"}}], "usage": {"total_tokens": 3}}))
    assert agent.guide(run).json == "Hoi"


def test_no_content_is_said_so(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(events({"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": "stop"}]}, used(9)))
    assert agent.guide(run).json == "No response content received from the model"


@pytest.mark.parametrize(
    "text", ["Internal Server Error", "it has exhausted all available targets", '{"error": "x"}', "a\0b"]
)
def test_a_good_answer_that_sounds_like_an_error_is_an_answer(
    agent: Agent, chutes: Upstream, run: str, text: str
) -> None:
    chutes.plan(events(delta(text), used(9)))
    assert (answer := agent.guide(run)).status == 200
    assert answer.json == text


@pytest.mark.parametrize(("behaviour", "status"), [
    ("error-500", 502), ("error-502", 502), ("error-503", 503), ("error-504", 504), ("error-529", 503),
    ("error-401", 502), ("error-403", 502), ("error-404", 502), ("error-418", 502), ("error-520", 502),
    ("close-head", 502), ("cut-head", 502), ("html", 502), ("not-json", 502), ("empty", 502), ("junk-status", 502),
    ("error-after-2-500", 502),
        ("error-after", 503),
        ("false-ok", 503),
        ("leak", 502),
        ("junk-event", 502), ("close-half", 502), ("close-body", 502),
])  # fmt: skip
def test_a_vendors_failure_is_ours_and_its_words_stay_here(
    agent: Agent, chutes: Upstream, run: str, behaviour: str, status: int
) -> None:
    chutes.plan(behaviour)
    answer = agent.guide(run)
    assert (answer.status, answer.json) == (status, FAILED)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_the_vendor_refuses_of_the_agents_own_is_a_4xx_in_our_words(
    agent: Agent, chutes: Upstream, run: str, status: int
) -> None:
    chutes.plan(f"error-{status}")
    answer = agent.guide(run)
    assert (answer.status, answer.json) == (status, {"detail": "The model provider refused the request."})


def test_the_vendors_patience_is_handed_on(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(whole({"error": {"message": "secret words"}}, 429))
    answer = agent.guide(run)
    assert (answer.status, b"secret" in answer.body) == (429, False)


def test_a_model_that_may_not_be_called(agent: Agent, chutes: Upstream, run: str) -> None:
    answer = agent.guide(run, model="o3")
    assert (answer.status, set(answer.json)) == (200, {"error"})
    assert answer.json["error"].startswith("Model o3 not supported. Please use one of the following models: [")
    assert f"'{DEFAULT}'" in answer.json["error"]
    assert chutes.calls == []


def test_a_model_without_a_price_is_none(agent: Agent, chutes: Upstream, run: str) -> None:
    answer = agent.guide(run, model="deepseek-ai/unpriced")
    assert (answer.status, "not supported" in answer.json["error"]) == (200, True)
    assert chutes.calls == []


def test_any_model_of_the_gateway_may_be_allowed(agent: Agent, chutes: Upstream, run: str) -> None:
    assert agent.guide(run, model="claude-sonnet-4-5").json == Recipe().text
    assert agent.guide(run, model="gpt-4o-mini").json == Recipe().text
    assert [call.path for call in chutes.calls] == ["/v1/messages", "/v1/chat/completions"]


@pytest.mark.parametrize(("body", "field"), [
    ({"messages": HELLO}, "run_id"),
    ({"run_id": "r"}, "messages"),
    ({"run_id": "r", "messages": [{"role": "user"}]}, "content"),
    ({"run_id": "r", "messages": [{"role": "user", "content": ["x"]}]}, "content"),
    ({"run_id": "x" * 10_000, "messages": HELLO}, "run_id"),
])  # fmt: skip
def test_a_wrong_body_names_its_field(agent: Agent, chutes: Upstream, body: Any, field: str) -> None:
    answer = agent.ask("POST", "/agents/inference", body)
    (fault,) = answer.json["detail"]
    assert (answer.status, fault["loc"][-1], set(fault)) == (422, field, {"loc", "msg", "type"})
    assert chutes.calls == []


def test_other_faults_have_the_familys_shape(agent: Agent) -> None:
    assert set(agent.ask("GET", "/agents/inference").json) == {"detail"}
    assert agent.ask("POST", "/agents/inference", b"x", Content_Type="text/plain").status == 415


# ---- embeddings ----


def test_an_embedding_is_the_vendors_own_bytes(agent: Agent, chutes: Upstream, run: str) -> None:
    body = b"[[0.10, -2,  3e-7]]\n"
    chutes.plan(whole(body))
    answer = agent.guide_embedding(run, "a\0b")
    assert (answer.status, answer.body) == (200, body)
    (call,) = chutes.calls
    assert (call.path, call.json) == ("/deep/embed", {"inputs": "a\0b"})
    assert call.header("authorization") == "Bearer cpk-vendor-chutes-0123456789"


def test_an_embedding_costs_its_seconds(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan("slow-0.5")
    assert agent.guide_embedding(run).status == 200
    assert 0.5 * 0.0001 <= agent.usage(run)["used_cost_usd"] <= 1.5 * 0.0001


@pytest.mark.parametrize(("behaviour", "status"), [
    ("error-500", 502), ("close-head", 502), ("html", 502), ("not-json", 502), ("silent", 504), ("error-401", 502),
])  # fmt: skip
def test_an_embedding_that_fails(agent: Agent, chutes: Upstream, run: str, behaviour: str, status: int) -> None:
    chutes.plan(behaviour)
    answer = agent.guide_embedding(run)
    assert (answer.status, answer.json["detail"]) == (status, FAILED["detail"].replace("inference", "embedding"))
    assert agent.usage(run)["used_cost_usd"] == 0


# ---- the cap ----


def test_a_run_at_its_cap_is_told_so_and_nobody_is_asked(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(events(delta("dear"), ALL_OF_IT))
    assert agent.guide(run).json == "dear"
    answers = [agent.guide(run), agent.guide_embedding(run), agent.guide(run, model="o3")]
    assert [answer.status for answer in answers] == [200, 200, 200]
    texts = [answer.json["error"] for answer in answers]
    assert texts[0] == CAP
    assert texts[1] == CAP.replace("more inference", "more embeddings or inference")
    assert len(chutes.calls) == 1
    assert agent.guide(run + "-another").json == Recipe().text


def test_a_million_tokens_cost_their_price(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(events(delta("x"), used(900_000, 100_000)))
    agent.guide(run)
    assert agent.usage(run)["used_cost_usd"] == 0.27


def test_missing_usage_is_estimated_and_never_free(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan("nousage")
    assert agent.guide(run).status == 200
    assert agent.usage(run)["used_cost_usd"] > 0


def test_what_failed_before_content_is_free(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan("error-500")
    agent.guide(run)
    assert agent.usage(run) == {
        "used_cost_usd": 0, "remaining_cost_usd": 2, "max_cost_usd": 2, "reserved_cost_usd": 0,
    }  # fmt: skip
