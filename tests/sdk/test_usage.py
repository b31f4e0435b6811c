"""What an SDK's calls leave in the ledger, read back from the running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.request import Request, urlopen

import openai
import pytest

from tests.sdk.conftest import Seen
from tests.upstream import Gateway, Gateways, Upstream
from tests.upstream.gateway import ROOT

HELLO: Any = [{"role": "user", "content": "Grüezi"}]
MODELS = """
[prices."openai/gpt-4o"]
input = 2.5
cache_read = 1.25
cache_write = 3.125
output = 10.0
"""  # USD for a million tokens


@pytest.fixture(scope="module")
def priced(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A server whose prices do not move with the public lists."""
    gateways = Gateways(tmp_path_factory.mktemp("usage"))
    models = (ROOT / "models.toml").read_text()
    yield gateways(vendor, models=models + MODELS, WEB_CONCURRENCY="2")
    gateways.stop()


@pytest.fixture
def client(priced: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{priced.url}/v1", api_key=priced.key, max_retries=0, timeout=30) as made:
        yield made


def usage(server: Gateway, question: str) -> dict[str, Any]:
    request = Request(f"{server.url}/usage{question}", headers={"Authorization": f"Bearer {server.key}"})
    with urlopen(request, timeout=30) as answer:
        body: dict[str, Any] = json.load(answer)
        return body


def row_of(server: Gateway, request_id: str | None) -> dict[str, Any]:
    """The only row of a call."""
    assert request_id is not None
    (row,) = [row for row in usage(server, "/calls?limit=5000")["data"] if row["request_id"] == request_id]
    return dict(row)


def test_a_call_and_its_row(client: openai.OpenAI, priced: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("cached")
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    row = row_of(priced, answer._request_id)
    told = answer.usage
    assert told is not None
    assert told.prompt_tokens_details is not None
    assert row["cache_read_tokens"] == told.prompt_tokens_details.cached_tokens == 1024
    assert row["input_tokens"] + row["cache_read_tokens"] + row["cache_write_tokens"] == told.prompt_tokens
    assert (row["output_tokens"], row["reasoning_tokens"]) == (told.completion_tokens, 32)
    nano = row["input_tokens"] * 2500 + 1024 * 1250 + row["cache_write_tokens"] * 3125 + row["output_tokens"] * 10_000
    assert Decimal(row["cost_usd"]) == Decimal(nano).scaleb(-9)
    assert {name: row[name] for name in ("caller", "key", "family", "route", "model", "provider", "status")} == {
        "caller": "main",
        "key": None,
        "family": "openai",
        "route": "/v1/chat/completions",
        "model": "gpt-4o",
        "provider": "openai",
        "status": 200,
    }
    assert (row["exactness"], row["attempts"], row["stream"], row["client_gone"]) == ("exact", 1, False, False)


def test_a_stream_and_its_row(client: openai.OpenAI, priced: Gateway, seen: Seen) -> None:
    with client.chat.completions.with_streaming_response.create(model="gpt-4o", messages=HELLO, stream=True) as answer:
        for _ in answer.iter_lines():
            pass
    row = row_of(priced, answer.headers["x-request-id"])
    assert (row["input_tokens"], row["output_tokens"], row["stream"], row["exactness"]) == (21, 5, True, "exact")
    assert row["cost_usd"] == "0.0001025"
    assert 0 <= row["first_byte_ms"] <= row["total_ms"]


def test_a_failure_and_its_row(client: openai.OpenAI, priced: Gateway, vendor: Upstream, seen: Seen) -> None:
    vendor.plan("error-400")
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=HELLO)
    row = row_of(priced, caught.value.request_id)
    assert (row["status"], row["cost_usd"], row["output_tokens"]) == (400, "0.00", 0)
    assert row["error"]


def test_the_sum_is_that_of_the_rows(client: openai.OpenAI, priced: Gateway, seen: Seen) -> None:
    for _ in range(20):
        client.chat.completions.create(model="gpt-4o", messages=HELLO, user="x")
    rows = usage(priced, "/calls?limit=5000&model=gpt-4o")["data"]
    summed = usage(priced, "?by=model&model=gpt-4o")
    (group,) = summed["data"]
    assert group == {"model": "gpt-4o", **summed["total"]}
    assert group["calls"] == len(rows) >= 20
    assert group["output_tokens"] == sum(row["output_tokens"] for row in rows)
    assert Decimal(group["cost_usd"]) == sum(Decimal(row["cost_usd"]) for row in rows)
