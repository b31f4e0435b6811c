"""The gateway's key in every form the SDKs send it, and the id by which a request is found in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.sdk.conftest import Seen
from tests.upstream import Gateway

HELLO: Any = [{"role": "user", "content": "Grüezi"}]


@pytest.fixture
def raw(server: Gateway) -> Iterator[openai.OpenAI]:
    """OpenAI's SDK with the key bare in `Authorization`, as code.org's aiproxy took it."""
    headers = {"Authorization": server.key}
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", default_headers=headers, max_retries=0) as client:
        yield client


@pytest.fixture
def bearer(server: Gateway) -> Iterator[anthropic.Anthropic]:
    """Anthropic's SDK with a bearer token instead of `x-api-key`."""
    with anthropic.Anthropic(base_url=server.url, auth_token=server.key, api_key=None, max_retries=0) as client:
        yield client


def test_the_usual_forms(oai: openai.OpenAI, ant: anthropic.Anthropic, seen: Seen) -> None:
    assert oai.chat.completions.create(model="echo", messages=HELLO).choices[0].message.content == "Grüezi"
    assert ant.messages.create(model="echo", messages=HELLO, max_tokens=9).stop_reason == "end_turn"


def test_the_other_forms(raw: openai.OpenAI, bearer: anthropic.Anthropic, seen: Seen) -> None:
    assert raw.chat.completions.create(model="gpt-4o", messages=HELLO).choices[0].finish_reason == "stop"
    assert bearer.messages.create(model="claude-sonnet-4-6", messages=HELLO, max_tokens=9).stop_reason == "end_turn"
    assert [call.header("authorization") for call in seen.calls] == ["Bearer sk-vendor-openai-0123456789", None]


@pytest.mark.parametrize("key", ["wrong", "key-of-the-tests-012345678", "Bearer"])
def test_wrong_keys(server: Gateway, seen: Seen, key: str) -> None:
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.chat.completions.create(model="echo", messages=HELLO)
    assert caught.value.code == "invalid_api_key"
    with (
        anthropic.Anthropic(base_url=server.url, api_key=key, max_retries=0) as other,
        pytest.raises(anthropic.AuthenticationError) as again,
    ):
        other.messages.create(model="echo", messages=HELLO, max_tokens=9)
    assert again.value.type == "authentication_error"
    assert seen.calls == []


def test_the_requests_id(oai: openai.OpenAI, server: Gateway, seen: Seen) -> None:
    answer = oai.chat.completions.create(model="gpt-4o", messages=HELLO)
    line = server.wait_for_line(lambda line: line.get("request_id") == answer._request_id)
    assert (line["route"], line["provider"], line["model"]) == ("/v1/chat/completions", "openai", "gpt-4o")
    assert (line["input_tokens"], line["output_tokens"]) == (21, 5)


def test_the_callers_own_id_is_kept(oai: openai.OpenAI, server: Gateway, seen: Seen) -> None:
    answer = oai.chat.completions.create(model="gpt-4o", messages=HELLO, extra_headers={"X-Request-ID": "mine-1"})
    assert answer._request_id == "mine-1"
    with pytest.raises(openai.NotFoundError) as caught:
        oai.chat.completions.create(model="nobodys", messages=HELLO, extra_headers={"X-Request-ID": "mine-2"})
    assert caught.value.request_id == "mine-2"
    assert server.wait_for_line(lambda line: line.get("request_id") == "mine-2" and "route" in line)["status"] == 404


def test_the_id_in_anthropics_errors(ant: anthropic.Anthropic, server: Gateway, seen: Seen) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        ant.messages.create(model="nobodys", messages=HELLO, max_tokens=9)
    body: Any = caught.value.body
    assert body["request_id"] == caught.value.response.headers["x-request-id"]
    assert ant.messages.create(model="claude-sonnet-4-6", messages=HELLO, max_tokens=9)._request_id is not None


def test_time_is_told(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.chat.completions.with_raw_response.create(model="gpt-4o", messages=HELLO)
    assert float(answer.headers["x-process-time"]) > 0
    assert answer.headers["x-upstream-request-id"].startswith("req_")
    assert "set-cookie" not in answer.headers
