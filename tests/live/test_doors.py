"""Who may enter, and what is open to all."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.smoke
REFUSED = {"Authorization": "Bearer no-key-of-anybody-0123456789"}


@pytest.mark.parametrize("path", ["/health", "/api/health", "/monitoring/healthz"])
def test_it_is_healthy(stranger, path):
    answer = stranger.ask("GET", path)
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")
    assert answer.headers["X-Request-ID"]


def test_it_is_ready(stranger):
    answer = stranger.ask("GET", "/monitoring/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("path", ["/v1/models", "/usage", "/admin/keys", "/api/inference-models"])
def test_a_wrong_key_is_refused(stranger, path):
    assert stranger.ask("GET", path, headers=dict(REFUSED)).status_code in (401, 429)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/agents/inference", "/assessment"])
def test_no_call_is_made_with_a_wrong_key(stranger, path):
    assert stranger.ask("POST", path, headers=dict(REFUSED), json={}).status_code in (401, 429)


def test_the_metrics_are_not_public(stranger):
    assert stranger.ask("GET", "/metrics").status_code == 404


def test_models_are_listed(caller):
    answer = caller.ask("GET", "/v1/models")
    assert answer.status_code == 200
    assert all(model["object"] == "model" for model in answer.json()["data"])


def test_an_unknown_route_is_no_fault_of_the_server(stranger):
    answer = stranger.ask("GET", "/no/such/route")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
