"""Bad requests in each family's shape: nothing is echoed, nothing goes to a vendor, never a 500."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.src.conftest import BEARER, anthropic_error, openai_error
from tests.upstream import Upstream

ANTHROPIC = {**BEARER, "anthropic-version": "2023-06-01"}
MARK = "zqMARKqz"  # must not come back
HELLO = [{"role": "user", "content": MARK}]
CHAT = {"model": "openai/gpt-4o", "messages": HELLO}
MESSAGE = {"model": "anthropic/claude", "messages": HELLO, "max_tokens": 9}


@pytest.fixture
def calls(fronted: Callable[..., FlaskClient], upstream: Upstream) -> Iterator[FlaskClient]:
    """A client of an application in front of a vendor that must not be called."""
    yield fronted(MAX_BODY_BYTES="4096")
    assert upstream.calls == []


# ---- the framework's own errors ----


@pytest.mark.parametrize("path", [
    "/v1/nothing", "/nothing", "/v1", "/v1/chat", "/V1/models", "//v1/models", "/v1//models",
    "/docs/../../etc/passwd", "/docs/..%2f..%2fetc%2fpasswd", "/docs/%2e%2e/%2e%2e/src/guards.py", "/docs/start.js%00",
    "/static/start.js", "/%ff%fe", "/v1/models/%00", f"/{MARK}",
])  # fmt: skip
def test_404(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=BEARER)
    assert answer.status_code in (404, 400)
    assert openai_error(answer)["type"] == "invalid_request_error"
    assert MARK not in answer.text
    if path != "/v1/models/%00":
        assert anthropic_error(client.get(path, headers=ANTHROPIC))["type"] == "not_found_error"


def test_405_says_what_is_allowed(client: FlaskClient) -> None:
    answer = client.get("/v1/chat/completions", headers=BEARER)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert openai_error(answer)["code"] == "method_not_allowed"
    other = client.delete("/v1/messages", headers=BEARER)
    assert (other.status_code, other.headers["Allow"]) == (405, "POST")
    assert anthropic_error(other)["type"] == "invalid_request_error"
    assert client.open("/v1/chat/completions", method="BREW", headers=BEARER).status_code == 405
    assert client.options("/v1/chat/completions").status_code == 405


def test_405_does_not_ask_for_a_key(client: FlaskClient) -> None:
    assert (client.get("/v1/chat/completions").status_code, client.get("/nothing").status_code) == (405, 404)


def test_head_is_get_without_a_body(client: FlaskClient) -> None:
    answer = client.head("/v1/models", headers=BEARER)
    assert (answer.status_code, answer.data) == (200, b"")
    assert client.head("/v1/models").status_code == 401


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_413(calls: FlaskClient, path: str) -> None:
    answer = calls.post(path, data=b'{"a": "' + b"x" * 4096 + b'"}', content_type="application/json")
    assert answer.status_code == 413
    if path == "/v1/messages":
        assert anthropic_error(answer)["type"] == "request_too_large"
    else:
        assert openai_error(answer)["code"] == "request_too_large"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "multipart/form-data"]
)
def test_415(calls: FlaskClient, kind: str) -> None:
    answer = calls.post("/v1/chat/completions", data=b"{}", content_type=kind)
    assert (answer.status_code, openai_error(answer)["code"]) == (415, "unsupported_media_type")
    assert anthropic_error(calls.post("/v1/messages", data=b"{}", content_type=kind))


def test_415_for_a_transcription_that_is_no_form(calls: FlaskClient) -> None:
    answer = calls.post("/v1/audio/transcriptions", json={"model": "whisper-1"})
    assert (answer.status_code, openai_error(answer)["code"]) == (415, "unsupported_media_type")


# ---- bodies ----


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"[]", b'"text"', b"null", b"7", b"{}{}", b'{"a": 1,}', b"{'a': 1}", b"\xff\xfe{\x00}\x00",
    b'{"model": "\xff"}', b'{"model": "a", "model": "b", "messages": []}', b"{" * 3000,
    b'{"a":' * 600 + b"1" + b"}" * 600, b'\xef\xbb\xbf{"model": "echo"}', b'{"model": NaN}', b"\x00",
])  # fmt: skip
def test_a_body_that_is_no_object(calls: FlaskClient, body: bytes) -> None:
    answer = calls.post("/v1/chat/completions", data=body, content_type="application/json")
    assert (answer.status_code, openai_error(answer)["code"]) == (400, "bad_request")
    assert anthropic_error(calls.post("/v1/messages", data=body, content_type="application/json"))


@pytest.mark.parametrize(("change", "param"), [
    ({"model": 7}, "model"), ({"model": ["gpt-4o", MARK]}, "model"), ({"model": {}}, "model"),
    ({"model": True}, "model"), ({"model": ""}, "model"), ({"model": MARK * 50}, "model"),
    ({"model": f"{MARK}\n"}, "model"), ({"messages": MARK}, "messages"), ({"messages": {}}, "messages"),
    ({"messages": 1}, "messages"), ({"stream": MARK}, "stream"), ({"stream": 1}, "stream"), ({"stream": []}, "stream"),
    ({"stream_options": MARK}, "stream_options"), ({"tools": {MARK: 1}}, "tools"), ({"tools": MARK}, "tools"),
])  # fmt: skip
def test_a_field_of_the_wrong_type(calls: FlaskClient, change: dict[str, Any], param: str) -> None:
    answer = calls.post("/v1/chat/completions", json=CHAT | change)
    assert (answer.status_code, openai_error(answer)["param"]) == (400, param)
    other = calls.post("/v1/messages", json=MESSAGE | change)
    assert other.status_code == 400
    assert f"`{param}`" in anthropic_error(other)["message"]
    assert MARK not in answer.text + other.text + str(answer.headers) + str(other.headers)


@pytest.mark.parametrize(("path", "body", "missing"), [
    ("/v1/chat/completions", {"model": "openai/gpt-4o"}, "messages"),
    ("/v1/chat/completions", {"messages": HELLO}, "model"),
    ("/v1/chat/completions", {"messages": HELLO, "model": None}, "model"),
    ("/v1/completions", {"model": "openai/gpt-4o"}, "prompt"),
    ("/v1/embeddings", {"model": "openai/e"}, "input"),
    ("/v1/moderations", {"model": "openai/m"}, "input"),
    ("/v1/images/generations", {"model": "openai/i"}, "prompt"),
    ("/v1/audio/speech", {"model": "openai/s", "input": MARK}, "voice"),
    ("/v1/messages", {"model": "anthropic/c", "messages": HELLO}, "max_tokens"),
    ("/v1/messages/count_tokens", {"model": "anthropic/c"}, "messages"),
])  # fmt: skip
def test_a_field_that_is_missing(calls: FlaskClient, path: str, body: dict[str, Any], missing: str) -> None:
    answer = calls.post(path, json=body)
    assert answer.status_code == 400
    assert f"`{missing}` is required." in answer.text
    assert MARK not in answer.text


@pytest.mark.parametrize(
    "name", [MARK, f"{MARK}/gpt-4o", f"openai.{MARK}", f"azure/{MARK}", f"local/{MARK}", "openai/"]
)
def test_an_unknown_model_is_not_echoed(calls: FlaskClient, name: str) -> None:
    answer = calls.post("/v1/chat/completions", json=CHAT | {"model": name})
    assert (answer.status_code, openai_error(answer)["code"]) == (404, "model_not_found")
    other = calls.post("/v1/messages", json=MESSAGE | {"model": name})
    assert (other.status_code, anthropic_error(other)["type"]) == (404, "not_found_error")
    for text in (answer.text, other.text):
        assert MARK not in text
        assert "azure" not in text
        assert "API_KEY" not in text


@pytest.mark.parametrize(("path", "model"), [
    ("/v1/embeddings", "anthropic/claude"), ("/v1/responses", "anthropic/claude"),
    ("/v1/messages/count_tokens", "openai/gpt-4o"), ("/v1/moderations", "anthropic/claude"),
])  # fmt: skip
def test_a_model_whose_vendor_does_not_serve_the_path(calls: FlaskClient, path: str, model: str) -> None:
    answer = calls.post(path, json={"model": model, "input": MARK, "messages": HELLO})
    assert answer.status_code == 400
    assert f"does not serve {path}" in answer.text
