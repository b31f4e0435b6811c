"""Every route is closed unless it is on the list of open ones; every form of the key opens it, and nothing else."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from src import create_app
from src.guards import needs_key, open_to_all
from src.routes import ENTRIES
from tests.src.conftest import BEARER, anthropic_error, openai_error, settings
from tests.upstream.gateway import KEY

OPEN = {
    "/",
    "/test",
    "/test/429",
    "/health",
    "/api/health",
    "/monitoring/healthz",
    "/monitoring/ready",
    "/monitoring/serving",
    "/openapi.json",
    "/docs",
    "/docs/<name>",
}
SECOND = "the-second-key-9876543210"


def addresses(app: Flask) -> list[tuple[str, str, str]]:
    """(rule, method, URL) of everything that is served; arguments are filled in."""
    return [
        (rule.rule, method, rule.rule.replace("<path:name>", "echo").replace("<name>", "start.js"))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_every_blueprint_is_listed_with_a_guard_and_a_family(app: Flask) -> None:
    assert set(app.blueprints) == {entry.blueprint.name for entry in ENTRIES}
    assert {entry.guard for entry in ENTRIES} == {open_to_all, needs_key}
    assert all("." in rule.endpoint for rule in app.url_map.iter_rules())


def test_without_a_key_only_the_listed_routes_are_open(app: Flask, client: FlaskClient) -> None:
    answers = {rule: client.open(url, method=method, buffered=True) for rule, method, url in addresses(app)}
    assert {rule for rule, answer in answers.items() if answer.status_code != 401} == OPEN
    assert all("http" not in answer.text for answer in answers.values() if answer.status_code == 401)


def test_with_the_key_no_route_says_401(app: Flask, client: FlaskClient) -> None:
    answers = {
        rule: client.open(url, method=method, headers=BEARER, buffered=True) for rule, method, url in addresses(app)
    }
    assert {rule for rule, answer in answers.items() if answer.status_code == 401} == set()


def test_a_refusal_has_the_familys_shape(client: FlaskClient) -> None:
    assert openai_error(client.post("/v1/chat/completions"))["code"] == "invalid_api_key"
    assert openai_error(client.get("/v1/models"))["type"] == "invalid_request_error"
    assert anthropic_error(client.post("/v1/messages"))["type"] == "authentication_error"
    assert anthropic_error(client.get("/v1/models", headers={"anthropic-version": "2023-06-01"}))
    assert client.get("/openai/models").get_json() == {"error": "Unauthorized"}


def test_the_guard_comes_before_the_body(client: FlaskClient) -> None:
    answer = client.post("/v1/chat/completions", data=b"{ not json", content_type="text/plain")
    assert answer.status_code == 401


@pytest.mark.parametrize("headers", [
    {"Authorization": f"Bearer {KEY}"},
    {"Authorization": f"bearer   {KEY} "},
    {"Authorization": KEY},
    {"x-api-key": KEY},
    {"x-api-key": KEY, "Authorization": "Bearer of-another-proxy"},
    {"Authorization": f"Bearer {SECOND}"},
])  # fmt: skip
def test_the_forms_of_a_key(headers: dict[str, str]) -> None:
    client = create_app(settings(AIPROXY_API_KEY=f"{KEY}, {SECOND},")).test_client()
    assert client.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": f"Basic {KEY}"},
    {"Authorization": f"Bearer {KEY[:-1]}"},
    {"Authorization": f"Bearer {KEY}x"},
    {"Authorization": f"Bearer {KEY},{SECOND}"},
    {"Authorization": f"Bearer {KEY.upper()}"},
    {"Authorization": "Bearer schl\xfcssel"},
    {"Authorization": "Bearer \udcff"},
    {"x-api-key": ""},
    {"x-api-key": f"Bearer {KEY}"},
    {"api-key": KEY},
    {"Cookie": f"key={KEY}"},
])  # fmt: skip
def test_what_is_no_key(headers: dict[str, str]) -> None:
    client = create_app(settings(AIPROXY_API_KEY=f"{KEY},{SECOND}")).test_client()
    raw = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    answer = client.get(f"/v1/models?api-key={KEY}", environ_overrides=raw)
    assert (answer.status_code, openai_error(answer)["message"]) == (401, "A valid API key is required.")


@pytest.mark.parametrize(("host", "remote", "status"), [
    ("localhost", "127.0.0.1", 200),
    ("localhost:5000", "127.0.0.1", 200),
    ("127.0.0.1:5000", "127.0.0.1", 200),
    ("127.8.8.8", "127.0.0.1", 200),
    ("[::1]:5000", "::1", 200),
    ("[::1]", "::1", 200),
    ("localhost", "10.0.0.8", 401),
    ("localhost", "fe80::1", 401),
    ("rebound.example:5000", "127.0.0.1", 401),
    ("127.0.0.1.rebound.example", "127.0.0.1", 401),
    ("localhost.rebound.example:80", "127.0.0.1", 401),
    ("10.0.0.8:5000", "127.0.0.1", 401),
])  # fmt: skip
def test_development_without_a_key_is_open_to_this_machine_alone(host: str, remote: str, status: int) -> None:
    client = create_app(settings(AIPROXY_API_KEY="")).test_client()
    answer = client.get("/v1/models", environ_overrides={"HTTP_HOST": host, "REMOTE_ADDR": remote})
    assert answer.status_code == status


def test_development_on_another_address_is_closed_without_a_key() -> None:
    client = create_app(settings(AIPROXY_API_KEY="", HOST="0.0.0.0")).test_client()
    answer = client.get("/v1/models", environ_overrides={"HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"})
    assert answer.status_code == 401
