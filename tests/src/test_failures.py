"""Failures that are not the caller's: those nobody foresaw, and every error of the tree, in every family."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from lib.base.errors import AIProxyError, CallerError, GatewayError
from src import create_app
from tests.src.conftest import BEARER, anthropic_error, openai_error, settings

MARK = "zqMARKqz"  # must not come back


def failing(error: Exception) -> FlaskClient:
    """A client of an application whose every route fails."""
    app = create_app(settings())

    def fail(**_: str) -> Any:
        raise error

    for endpoint in app.view_functions:
        app.view_functions[endpoint] = fail
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = BEARER["Authorization"]
    return client


def test_an_unforeseen_failure_says_nothing_of_itself() -> None:
    client = failing(RuntimeError(f"the password is {MARK}"))
    for path in ("/v1/models", "/health"):
        answer = client.get(path)
        assert (answer.status_code, openai_error(answer)["code"]) == (500, "internal_error")
        assert MARK not in answer.text + str(answer.headers)
    other = client.post("/v1/messages")
    assert (other.status_code, anthropic_error(other)["type"]) == (500, "api_error")
    plain = client.get("/test")
    assert (plain.status_code, plain.text) == (500, AIProxyError.message)


def subclasses(kind: type[AIProxyError]) -> list[type[AIProxyError]]:
    return [kind, *(found for sub in kind.__subclasses__() for found in subclasses(sub))]


@pytest.mark.parametrize("kind", subclasses(AIProxyError), ids=lambda kind: kind.__name__)
def test_every_error_renders_in_every_family(kind: type[AIProxyError]) -> None:
    error = kind.__new__(kind)
    AIProxyError.__init__(error, retry_after=1.2, detail=MARK)
    client = failing(error)
    answers = [client.post("/v1/chat/completions"), client.post("/v1/messages"), client.get("/openai/models")]
    assert {answer.status_code for answer in answers} == {kind.status}
    assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
    assert not any(MARK in answer.text for answer in answers)
    assert openai_error(answers[0])["code"] == error.code
    assert anthropic_error(answers[1])["message"] == error.message
    assert answers[2].mimetype in ("text/plain", "application/json")


@pytest.mark.parametrize("kind", subclasses(AIProxyError)[1:], ids=lambda kind: kind.__name__)
def test_the_status_says_whose_fault_it_is(kind: type[AIProxyError]) -> None:
    assert (400 <= kind.status < 500) == (not issubclass(kind, GatewayError))
    assert issubclass(kind, (CallerError, GatewayError)) or kind.status == 499
    assert kind.status != 500
