"""Every answer to a caller with rates says what is left of them, whichever route made it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.src.conftest import BEARER
from tests.src.wire import ask
from tests.upstream import Gateway

HI = [{"role": "user", "content": "hi"}]
RUN = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
RUBRIC = "Key Concept,Extensive Evidence,Convincing Evidence,Limited Evidence,No Evidence\nLoops,a,b,c,d\n"
EVALUATION = {"evaluation_run_id": RUN, "model": "echo"}
CALLS: list[tuple[str, dict[str, Any]]] = [
    *(("/v1/chat/completions", {"model": "echo", "messages": HI, "stream": stream}) for stream in (False, True)),
    *(("/v1/completions", {"model": "echo", "prompt": "hi", "stream": stream}) for stream in (False, True)),
    *(("/v1/responses", {"model": "echo", "input": "hi", "stream": stream}) for stream in (False, True)),
    *(("/v1/messages", {"model": "echo", "max_tokens": 9, "messages": HI, "stream": s}) for s in (False, True)),
    ("/v1/messages/count_tokens", {"model": "echo", "messages": HI}),
    ("/v1/embeddings", {"model": "echo", "input": "hi"}),
    ("/v1/moderations", {"model": "echo", "input": "hi"}),
    ("/v1/images/generations", {"model": "echo", "prompt": "hi"}),
    ("/v1/audio/speech", {"model": "echo", "input": "hi", "voice": "alloy"}),
    ("/agents/inference", {"run_id": "r", "messages": HI}),
    ("/agents/embedding", {"run_id": "r", "input": "hi"}),
    ("/api/inference", {**EVALUATION, "temperature": 0, "messages": HI}),
    ("/api/embedding", {**EVALUATION, "input": "hi"}),
    ("/assessment", {"model": "echo", "code": "draw();", "prompt": "Grade.", "rubric": RUBRIC}),
]
NAMES = {f"x-ratelimit-{what}-{of}" for what in ("limit", "remaining", "reset") for of in ("requests", "tokens")}


@pytest.fixture(scope="module")
def key(server: Gateway) -> dict[str, str]:
    made = ask(server, "POST", "/admin/keys", headers=BEARER, json={"name": "rated", "rpm": 1000, "tpm": 10_000_000})
    return {"Authorization": f"Bearer {made.json['key']}"}


@pytest.mark.parametrize(("path", "body"), CALLS)
def test_an_answer_says_what_is_left(server: Gateway, key: dict[str, str], path: str, body: dict[str, Any]) -> None:
    answer = ask(server, "POST", path, headers=key, json=body)
    assert answer.status == 200, answer.body
    assert {name for name in answer.headers if name.startswith("x-ratelimit")} == NAMES


def test_the_helpers_do_too(server: Gateway, key: dict[str, str]) -> None:
    answer = ask(server, "GET", "/test/openai?model=echo", headers=key)
    assert answer.status == 200
    assert answer.headers.keys() >= NAMES


@pytest.mark.parametrize("path", ["/v1/models", "/usage", "/api/inference-models"])
def test_what_is_not_metered_says_nothing(server: Gateway, key: dict[str, str], path: str) -> None:
    assert not NAMES & ask(server, "GET", path, headers=key).headers.keys()
