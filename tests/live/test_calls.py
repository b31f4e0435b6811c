"""Calls of a model, in each family, and what the ledger says of them."""

from __future__ import annotations

import time
import uuid
from decimal import Decimal

import pytest

from tests.live.conftest import request_id

HELLO = [{"role": "user", "content": "Answer with the word yes."}]
MOST = 64  # tokens of an answer
PATIENCE = 20.0  # seconds until a call's row must be there


@pytest.mark.smoke
def test_a_whole_chat_completion(oai, model):
    answer = oai.chat.completions.create(model=model, messages=HELLO, max_tokens=MOST, extra_headers=headers())
    assert answer.choices[0].message.content
    assert answer.usage.prompt_tokens > 0


@pytest.mark.smoke
def test_a_streamed_chat_completion(oai, model):
    chunks = list(
        oai.chat.completions.create(
            model=model,
            messages=HELLO,
            max_tokens=MOST,
            stream=True,
            stream_options={"include_usage": True},
            extra_headers=headers(),
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage.completion_tokens > 0


@pytest.mark.smoke
def test_a_message_of_anthropics_dialect(caller, model):
    body = {"model": model, "messages": HELLO, "max_tokens": MOST}
    answer = caller.ask("POST", "/v1/messages", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["content"][0]["text"]


def test_an_unknown_model_is_said_to_be_one(caller):
    body = {"model": "no-such-provider/no-such-model", "messages": HELLO, "max_tokens": MOST}
    answer = caller.ask("POST", "/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.smoke
def test_an_empty_program_is_graded_without_a_model(caller):
    answer = caller.ask("GET", "/test/assessment/blank")
    assert answer.status_code == 200, answer.text
    assert {row["Label"] for row in answer.json()["data"]} == {"No Evidence"}


def test_a_program_is_graded(caller, model):
    answer = caller.ask("GET", "/test/assessment", params={"model": model})
    assert answer.status_code == 200, answer.text
    assert all(row["Label"].endswith(" Evidence") for row in answer.json()["data"])


def test_an_agent_is_answered(caller):
    models = caller.ask("GET", "/api/inference-models").json()
    if not models:
        pytest.skip("agents may call no model here")
    cheapest = min(models, key=lambda each: each["cost_usd_per_million_output_tokens"])["name"]
    run = f"live-{uuid.uuid4()}"
    body = {"run_id": run, "messages": HELLO, "model": cheapest}
    answer = caller.ask("POST", "/agents/inference", json=body)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json(), str), answer.text


def test_a_call_is_in_the_ledger(caller, model):
    wanted = request_id()
    body = {"model": model, "messages": HELLO, "max_tokens": MOST}
    answer = caller.ask("POST", "/v1/chat/completions", json=body, headers={"X-Request-ID": wanted})
    assert answer.status_code == 200, answer.text
    end = time.monotonic() + PATIENCE
    while True:
        rows = caller.ask("GET", "/usage/calls", params={"limit": "50"}).json()["data"]
        found = [row for row in rows if row["request_id"] == wanted]
        if found or time.monotonic() > end:
            break
        time.sleep(0.2)
    (row,) = found
    assert (row["model"], row["status"]) == (model, 200)
    assert Decimal(row["cost_usd"]) >= 0


def headers() -> dict[str, str]:
    """Of one call by an SDK."""
    return {"X-Request-ID": request_id()}
