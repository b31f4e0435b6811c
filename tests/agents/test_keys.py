"""Who may call as an agent, and from where: PROXY_API_KEY, ALLOWED_IPS, and a run on every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.agents.conftest import HELLO, MODELS, Agent, settings
from tests.upstream import Gateways, Recipe, Upstream

KEY = "key-of-the-agents-9876543210"
CHAT = {"model": "gpt-4o-mini", "messages": HELLO}
Started = Callable[..., Agent]


@pytest.fixture(scope="module")
def owner(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """A server with both keys, asked with the agents'."""
    gateways = Gateways(tmp_path_factory.mktemp("keys"))
    yield Agent(gateways(vendor, models=MODELS, PROXY_API_KEY=KEY, **settings(vendor)), KEY)
    gateways.stop()


def test_the_agents_key_opens_both_contracts(owner: Agent, chutes: Upstream, run: str) -> None:
    assert owner.guide(run).json == Recipe().text
    assert owner.infer(run).json["content"] == Recipe().text
    assert owner.usage(run)["used_cost_usd"] > 0
    assert owner.ask("GET", "/api/inference-models").status == 200


@pytest.mark.parametrize("authorization", [f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer None", f"Basic {KEY}", ""])
def test_no_other_does(owner: Agent, authorization: str) -> None:
    answer = owner.ask("POST", "/agents/inference", {}, Authorization=authorization)
    assert (answer.status, answer.json) == (401, {"detail": "Invalid API key"})


def test_with_openais_dialect_it_must_name_a_run(owner: Agent, chutes: Upstream, run: str) -> None:
    refused = owner.ask("POST", "/v1/chat/completions", CHAT)
    assert (refused.status, refused.json["error"]["param"]) == (400, "X-Run-ID")
    assert owner.ask("GET", "/test/openai?model=gpt-4o-mini").status == 400
    assert chutes.calls == []
    assert owner.ask("POST", "/v1/chat/completions", CHAT, X_Run_ID=run).status == 200
    assert owner.usage(run)["used_cost_usd"] > 0


def test_runs_of_two_keys_are_two(owner: Agent, chutes: Upstream, run: str) -> None:
    assert owner.guide(run).status == 200
    assert Agent(owner.gateway).usage(run)["used_cost_usd"] == 0


@pytest.mark.parametrize(("listed", "allowed"), [
    ("", True),
    (" , ,", True),
    ("10.0.0.1, 127.0.0.1", True),
    ("127.0.0.0/8", True),
    ("::ffff:127.0.0.1", True),
    ("10.0.0.1", False),
    ("10.0.0.0/8, ::1", False),
])  # fmt: skip
def test_addresses(started: Started, vendor: Upstream, run: str, listed: str, allowed: bool) -> None:
    vendor.forget()
    agent = Agent(started(PROXY_API_KEY=KEY, ALLOWED_IPS=listed).gateway, KEY)
    answer = agent.guide(run)
    assert answer.status == (200 if allowed else 403)
    if not allowed:
        assert answer.json == {"detail": "IP not allowed"}
        assert agent.ask("POST", "/agents/inference", b"{ no json").status == 403
        assert agent.ask("POST", "/api/inference", {}, Authorization="").status == 401
        assert vendor.calls == []


def test_the_address_behind_a_trusted_proxy_counts(started: Started, run: str) -> None:
    listed = {"ALLOWED_IPS": "203.0.113.9", "PROXY_API_KEY": KEY}
    trusting = Agent(started(TRUSTED_PROXIES="127.0.0.1", **listed).gateway, KEY)
    body = {"run_id": run, "messages": HELLO}
    for address, status in (("203.0.113.9", 200), ("198.51.100.1", 403), ("203.0.113.9, 198.51.100.1", 403)):
        assert trusting.ask("POST", "/agents/inference", body, X_Forwarded_For=address).status == status
    wary = Agent(started(**listed).gateway, KEY)
    assert wary.ask("POST", "/agents/inference", body, X_Forwarded_For="203.0.113.9").status == 403
