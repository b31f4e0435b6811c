"""The errors of the helper routes are in their family, whoever raised them."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

Fronted = Callable[..., FlaskClient]


def test_errors_are_plain_text(client: FlaskClient) -> None:
    answer = client.post("/test")
    assert (answer.status_code, answer.mimetype, answer.text) == (405, "text/plain", "This method is not allowed here.")


def test_the_vendors_own_refusal_is_plain_text_too(fronted: Fronted) -> None:
    answer = fronted().get("/test/openai", query_string={"model": "openai/error-400"})
    assert (answer.status_code, answer.text) == (400, "Invalid value for 'temperature'.")
