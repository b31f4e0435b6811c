"""The small routes of code.org's aiproxy, as its users call them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from src import create_app
from tests.src.conftest import BEARER, settings
from tests.upstream import Recipe, Upstream
from tests.upstream.openai_others import MODELS

Fronted = Callable[..., FlaskClient]


def test_the_free_ones(client: FlaskClient) -> None:
    index = client.get("/")
    assert (index.status_code, index.text, index.mimetype) == (200, "Success.", "text/html")
    assert client.get("/test").get_json() == {}
    limited = client.get("/test/429")
    assert (limited.status_code, limited.text) == (429, "Too many requests")


def test_openais_own_list_of_models(fronted: Fronted, upstream: Upstream) -> None:
    listed = fronted().get("/openai/models").get_json()
    assert [model["id"] for model in listed] == list(MODELS)
    assert upstream.calls[0].path == "/v1/models"
    assert upstream.calls[0].header("authorization") == "Bearer sk-vendor-openai-0123456789"


@pytest.mark.parametrize(
    "behaviour", ["error-401", "error-500", "html", "not-json", "empty", "close", "junk-status", "redirect"]
)
def test_a_list_that_cannot_be_had(fronted: Fronted, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    answer = fronted().get("/openai/models")
    assert (answer.status_code, answer.mimetype) == (502, "text/plain")
    assert "sk-vendor" not in answer.text


def test_without_openai_there_is_no_list(client: FlaskClient) -> None:
    answer = client.get("/openai/models", headers=BEARER)
    assert (answer.status_code, answer.text) == (404, "The provider openai is not configured here.")


@pytest.mark.parametrize("query", ["", "?model=openai/gpt-4o", "?model=gpt-4o"])
def test_a_message_to_openai(fronted: Fronted, upstream: Upstream, query: str) -> None:
    answer = fronted().get(f"/test/openai{query}").get_json()
    assert (answer["role"], answer["content"]) == ("assistant", Recipe().text)
    sent = upstream.calls[0].json
    assert (sent["messages"][0]["content"], sent["model"]) == ("Hello world", "gpt-4o" if query else "gpt-3.5-turbo")


def test_a_message_without_any_vendor(client: FlaskClient) -> None:
    assert client.get("/test/openai", headers=BEARER).get_json()["content"] == "Hello world"


@pytest.mark.parametrize(("model", "status"), [("openai/error-429", 429), ("openai/error-500", 502), ("nobody", 404)])
def test_a_message_that_fails(fronted: Fronted, model: str, status: int) -> None:
    answer = fronted().get("/test/openai", query_string={"model": model})
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert "nobody" not in answer.text


def test_a_key_of_ones_own_is_for_that_call_alone(fronted: Fronted, upstream: Upstream) -> None:
    client = fronted()
    assert client.get("/test/openai?model=gpt-4o&api-key=sk-own-0123456789").status_code == 200
    assert client.get("/test/openai?model=gpt-4o").status_code == 200
    used = [call.header("authorization") for call in upstream.calls]
    assert used == ["Bearer sk-own-0123456789", "Bearer sk-vendor-openai-0123456789"]


@pytest.mark.parametrize("key", ["sk own", "sk%0d%0aX: y", "caf%C3%A9", "x" * 513])
def test_what_is_no_key(fronted: Fronted, upstream: Upstream, key: str) -> None:
    answer = fronted().get(f"/test/openai?model=gpt-4o&api-key={key}")
    assert (answer.status_code, answer.mimetype, "`api-key`" in answer.text) == (400, "text/plain", True)
    assert upstream.calls == []


def test_with_mocked_models_the_list_is_the_echos() -> None:
    client = create_app(settings(MOCK_MODEL_RESPONSES="true")).test_client()
    assert [model["id"] for model in client.get("/openai/models", headers=BEARER).get_json()] == ["echo"]
    assert client.get("/test/openai?model=gpt-4o", headers=BEARER).get_json()["content"] == "Hello world"
