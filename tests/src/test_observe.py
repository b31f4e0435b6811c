"""Around every request: its id, its time, its access line."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.src.conftest import BEARER
from tests.src.test_guards import addresses
from tests.src.wire import ask
from tests.upstream import Gateway

OURS = re.compile(r"[0-9a-f]{32}")


def test_every_answer_has_an_id_and_a_time(app: Flask, client: FlaskClient) -> None:
    for headers in ({}, BEARER):
        for _, method, url in [*addresses(app), ("", "GET", "/nothing"), ("", "DELETE", "/v1/models")]:
            answer = client.open(url, method=method, headers=headers, buffered=True)
            assert OURS.fullmatch(answer.headers["X-Request-ID"])
            assert float(answer.headers["X-Process-Time"]) >= 0
            assert len(answer.headers.getlist("X-Request-ID")) == len(answer.headers.getlist("X-Process-Time")) == 1


@pytest.mark.parametrize(
    "given", ["a", "0f8fad5b-d9cb-469f-a165-70867728950e", "Root=1-67891233-abcdef", "a/b+c:d.e_f", "x" * 128]
)
def test_a_sane_id_is_kept(client: FlaskClient, given: str) -> None:
    assert client.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "x" * 129, "<script>", "a\tb", "ä", "${jndi:ldap}", "a;b", "a\x7f", 'a"b']
)
def test_any_other_id_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/health", environ_overrides={"HTTP_X_REQUEST_ID": given})
    assert OURS.fullmatch(answer.headers["X-Request-ID"])


def line_of(server: Gateway, method: str, path: str, **more: Any) -> dict[str, Any]:
    """The access line that a request leaves, found by its id."""
    answer = ask(server, method, path, **more)
    return server.wait_for_line(
        lambda line: line.get("request_id") == answer.headers["x-request-id"] and line.get("event") == "request"
    )


def test_access_lines_name_the_route_and_not_the_path(server: Gateway) -> None:
    line = line_of(server, "GET", "/v1/models/echo?secret=zqMARKqz", headers=BEARER)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/models/<path:name>", 200)
    assert line["caller"] == "main"
    unmatched = line_of(server, "GET", "/zqMARKqz")
    assert (unmatched["route"], unmatched["status"]) == ("unmatched", 404)
    refused = line_of(server, "POST", "/v1/chat/completions", headers={"X-Api-Key": "zqMARKqz"})
    assert (refused["route"], refused["status"]) == ("/v1/chat/completions", 401)
    assert "zqMARKqz" not in server.output()


def test_the_access_line_of_a_call(server: Gateway) -> None:
    body = {"model": "echo/delay=0.05", "messages": [{"role": "user", "content": "zqTEXTqz"}], "stream": True}
    line = line_of(server, "POST", "/v1/chat/completions", headers=BEARER, json=body)
    assert (line["model"], line["provider"], line["attempts"]) == ("echo/delay=0.05", "echo", 1)
    assert (line["stream"], line["client_gone"], line["status"]) == (True, False, 200)
    assert line["input_tokens"] > 0 < line["output_tokens"]
    assert 50 <= line["first_byte_ms"] <= line["duration_ms"]
    assert "zqTEXTqz" not in server.output()


def test_the_access_line_of_a_failed_call(server: Gateway) -> None:
    body = {"model": "nobodys-model", "messages": []}
    line = line_of(server, "POST", "/v1/chat/completions", headers=BEARER, json=body)
    assert (line["status"], line["error"], line["model"]) == (404, "model_not_found", "nobodys-model")
