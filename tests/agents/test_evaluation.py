"""The inference gateway's contract: content and tool calls, the order of its checks, its statuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agents.conftest import DEFAULT, EMBEDDER, HELLO, Agent, delta, events, sent, used, whole
from tests.upstream import Recipe, Upstream

TOOL = {
    "name": "list_files",
    "description": "Lists files",
    "parameters": [
        {"type": "string", "name": "path", "description": "Where", "required": True},
        {"type": "array", "name": "kinds", "description": "Which"},
    ],
}
ALL_OF_IT = used(7_407_407)  # as good as 2 USD at 0.27 for a million

REQUIRED = "If you specify a tool mode of REQUIRED, you must specify at least one tool."


def fragment(index: int, id_: str | None = None, name: str | None = None, arguments: str = "") -> dict[str, Any]:
    return delta(tool_calls=[{"index": index, "id": id_, "function": {"name": name, "arguments": arguments}}])


# ---- answers ----


def test_content_and_no_calls(agent: Agent, chutes: Upstream, run: str) -> None:
    answer = agent.infer(run, temperature=0)
    assert (answer.status, answer.json) == (200, {"content": Recipe().text, "tool_calls": []})
    assert sent(chutes.calls[0]) == {"model": DEFAULT, "messages": HELLO, "temperature": 0, "max_tokens": 4096}


def test_tools_go_up_with_a_whole_schema_and_calls_come_down_flat(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(
        events(
            fragment(1, "c2", "list_files", '{"path"'),
            fragment(0, "c1", "list_files", '{"path": "/", "kinds": ['),
            fragment(0, arguments='"py"]}'),
            fragment(1, arguments=': "x"}'),
            used(9, 9),
        )
    )
    answer = agent.infer(run, tool_mode="auto", tools=[TOOL])
    assert answer.json == {
        "content": "",
        "tool_calls": [
            {"id": "c1", "name": "list_files",
             "arguments": [{"name": "path", "value": "/"}, {"name": "kinds", "value": ["py"]}]},
            {"id": "c2", "name": "list_files", "arguments": [{"name": "path", "value": "x"}]},
        ],
    }  # fmt: skip
    asked = chutes.calls[0].json
    assert asked["tool_choice"] == "auto"
    assert asked["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Where"},
            "kinds": {"type": "array", "description": "Which", "items": {}},
        },
        "required": ["path"],
    }


@pytest.mark.parametrize("written", ['{"path": ', '["/"]', "7"])
def test_unreadable_arguments_are_an_error_and_never_an_empty_object(
    agent: Agent, chutes: Upstream, run: str, written: str
) -> None:
    chutes.plan(events(delta("text", tool_calls=[]), fragment(0, "c1", "list_files", written), used(9, 9)))
    answer = agent.infer(run, tool_mode="required", tools=[TOOL])
    (call,) = answer.json["tool_calls"]
    assert (answer.status, answer.json["content"]) == (200, "text")
    assert (call["id"], call["name"], call["arguments"], call["raw_arguments"]) == ("c1", "list_files", [], written)
    assert call["error"]


def test_no_choice_goes_up_without_tools(agent: Agent, chutes: Upstream, run: str) -> None:
    assert agent.infer(run, tool_mode="auto", tools=[]).status == 200
    assert "tool_choice" not in chutes.calls[0].json
    assert "tools" not in chutes.calls[0].json


def test_a_model_of_another_dialect_has_tools_too(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan("tools")
    answer = agent.infer(run, "claude-sonnet-4-5", tool_mode="auto", tools=[TOOL])
    assert [call["name"] for call in answer.json["tool_calls"]] == ["list_files", "list_files"]
    assert answer.json["tool_calls"][0]["arguments"][0] == {"name": "place", "value": "Zürich"}


@pytest.mark.parametrize("text", ["Inference Internal Error", "Internal Server Error", "a\0b"])
def test_a_good_answer_that_sounds_like_an_error_is_an_answer(
    agent: Agent, chutes: Upstream, run: str, text: str
) -> None:
    chutes.plan(events(delta(text), used(9)))
    assert agent.infer(run, messages=[{"role": "user", "content": "\0"}]).json["content"] == text


# ---- checks, in their order ----


@pytest.mark.parametrize(("fields", "text"), [
    ({"tool_mode": "none", "tools": [TOOL]}, "If you specify a tool mode of NONE, you must not specify any tools."),
    ({"tool_mode": None, "tools": [TOOL]}, "If you specify a tool mode of NONE, you must not specify any tools."),
    ({"tool_mode": "required", "tools": []}, REQUIRED),
    ({"tool_mode": "required"}, REQUIRED),
])  # fmt: skip
def test_tools_and_their_mode_agree(agent: Agent, chutes: Upstream, run: str, fields: Any, text: str) -> None:
    answer = agent.infer(run, model="nobody", **fields)
    assert (answer.status, answer.json) == (422, {"detail": text})
    assert chutes.calls == []


@pytest.mark.parametrize("bad", ["", "7", "not-a-uuid", "x" * 10_000, None, 7])
def test_a_run_is_a_uuid(agent: Agent, chutes: Upstream, bad: Any) -> None:
    for answer in (agent.infer(bad, model="nobody", tool_mode="required"), agent.embed(bad)):
        (fault,) = answer.json["detail"]
        assert (answer.status, fault["loc"]) == (422, ["body", "evaluation_run_id"])
    assert chutes.calls == []


def test_over_the_cap_is_a_429_that_names_limit_and_cost(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(events(delta("dear"), ALL_OF_IT))
    assert agent.infer(run).status == 200
    answers = [agent.infer(run), agent.embed(run)]
    assert [answer.status for answer in answers] == [429, 429]
    assert all("2.00 USD" in answer.json["detail"] and "1.99999989 USD" in answer.json["detail"] for answer in answers)
    assert len(chutes.calls) == 1


def test_the_cap_comes_before_an_unknown_model(agent: Agent, chutes: Upstream, run: str) -> None:
    assert agent.infer(run, "nobody").status == 404
    chutes.plan(events(delta("dear"), used(8_000_000)))
    assert agent.infer(run).status == 200
    assert agent.infer(run, "nobody").status == 429
    assert agent.embed(run, "nobody").status == 429


@pytest.mark.parametrize("model", ["nobody", "o3", "deepseek-ai/unpriced", EMBEDDER, "'; DROP TABLE runs; --"])
def test_an_unknown_model_is_a_404(agent: Agent, chutes: Upstream, run: str, model: str) -> None:
    answer = agent.infer(run, model)
    assert (answer.status, answer.json) == (
        404,
        {"detail": f"The model {model} is not supported by Ridges for inference."},
    )
    assert chutes.calls == []


def test_an_unknown_embedding_model_likewise(agent: Agent, chutes: Upstream, run: str) -> None:
    answer = agent.embed(run, DEFAULT)
    assert (answer.status, answer.json) == (
        404,
        {"detail": f"The model {DEFAULT} is not supported by Ridges for embedding."},
    )


# ---- failures ----


@pytest.mark.parametrize(("behaviour", "status"), [
    ("error-500", 502), ("error-503", 503), ("error-529", 503), ("error-520", 502), ("error-401", 502), ("leak", 502),
    ("error-404", 502), ("close-head", 502), ("cut-head", 502), ("not-json", 502), ("empty-stream", 502),
    ("close-body", 502), ("error-429", 429), ("error-400", 400), ("error-after", 503),
])  # fmt: skip
def test_a_vendors_failure_is_json_and_holds_none_of_its_words(
    agent: Agent, chutes: Upstream, run: str, behaviour: str, status: int
) -> None:
    chutes.plan(behaviour)
    answer = agent.infer(run)
    assert answer.status == status
    assert answer.json["detail"].startswith(f"Inference External Error chutes:{DEFAULT}: The model provider")
    assert answer.json["detail"].count(":") == 2
    assert b"vendor" not in answer.body


def test_an_embedding_that_fails_or_is_late(agent: Agent, chutes: Upstream, run: str) -> None:
    for behaviour, status in (("error-500", 502), ("silent", 504)):
        chutes.plan(behaviour)
        answer = agent.embed(run)
        assert answer.status == status
        assert answer.json["detail"].startswith(f"Embedding External Error chutes-embed:{EMBEDDER}: ")


# ---- embeddings ----


def test_an_embedding_by_the_second(agent: Agent, chutes: Upstream, run: str) -> None:
    chutes.plan(whole(b"[[0.10, -2, 3e-7]]"))
    answer = agent.embed(run)
    assert (answer.status, answer.body) == (200, b'{"embedding":[0.10, -2, 3e-7]}')
    assert chutes.calls[0].json == {"inputs": "Grüezi"}
    assert 0 < agent.usage(run)["used_cost_usd"] < 0.0001


def test_an_embedding_by_tokens(agent: Agent, chutes: Upstream, run: str) -> None:
    answer = agent.embed(run, "text-embedding-3-small")
    assert (answer.status, len(answer.json["embedding"])) == (200, 16)
    (call,) = chutes.calls
    assert (call.path, call.json) == ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Grüezi"})
    assert agent.usage(run)["used_cost_usd"] == pytest.approx(7 * 0.02 / 1e6, abs=1e-9)


@pytest.mark.parametrize("body", [b"[]", b'[["x"]]', b"{}", b'"x"'])
def test_what_is_no_vector_is_a_502(agent: Agent, chutes: Upstream, run: str, body: bytes) -> None:
    chutes.plan(whole(body))
    assert agent.embed(run).status == 502


# ---- usage and lists ----


def test_usage_begins_at_nothing_and_adds_up(agent: Agent, chutes: Upstream, run: str) -> None:
    nothing = {"used_cost_usd": 0, "remaining_cost_usd": 2, "max_cost_usd": 2, "reserved_cost_usd": 0}
    assert agent.usage(run) == nothing
    for _ in range(2):
        chutes.plan(events(delta("x"), used(900_000, 100_000)))
        agent.infer(run)
    used_up = agent.usage(run)
    assert (used_up["used_cost_usd"], used_up["remaining_cost_usd"]) == (0.54, 1.46)
    assert agent.usage(run.upper()) == used_up


@pytest.mark.parametrize(
    "query", ["", "?evaluation_run_id=", "?evaluation_run_id=7", "?run=x", "?evaluation_run_id=%00%ff"]
)
def test_usage_of_what_is_no_run(agent: Agent, query: str) -> None:
    answer = agent.ask("GET", f"/api/usage{query}")
    (fault,) = answer.json["detail"]
    assert (answer.status, fault["loc"]) == (422, ["query", "evaluation_run_id"])


def test_every_listed_model_can_be_called(agent: Agent, chutes: Upstream, run: str) -> None:
    listed = agent.ask("GET", "/api/inference-models").json
    assert [row["name"] for row in listed] == [DEFAULT, "claude-sonnet-4-5"]
    assert listed[0] == {
        "name": DEFAULT, "external_name": DEFAULT, "max_input_tokens": 131072,
        "cost_usd_per_million_input_tokens": 0.27, "cost_usd_per_million_output_tokens": 0.27,
    }  # fmt: skip
    assert {agent.infer(run, row["name"]).status for row in listed} == {200}


def test_every_listed_embedding_model_can_be_called(agent: Agent, chutes: Upstream, run: str) -> None:
    by_second, by_token = agent.ask("GET", "/api/embedding-models").json
    assert by_second == {
        "name": EMBEDDER, "external_name": EMBEDDER, "max_input_tokens": None,
        "pricing_mode": "per_second", "cost_usd_per_second": 0.0001,
    }  # fmt: skip
    assert (by_token["pricing_mode"], by_token["cost_usd_per_million_input_tokens"]) == ("per_token", 0.02)
    assert {agent.embed(run, row["name"]).status for row in (by_second, by_token)} == {200}
