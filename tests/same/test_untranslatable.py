"""What a vendor has no equivalent for is a 400 that names the field, and nothing is sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.same.asked import IMAGE, Asked
from tests.same.conftest import Calls
from tests.same.places import Place
from tests.same.plain import body_of, post
from tests.upstream import Gateway

PICTURE = {"type": "image", "source": {"type": "url", "url": "https://example.org/gull.png"}}
SOUND = {"type": "input_audio", "input_audio": {"data": IMAGE, "format": "wav"}}
USER: dict[str, Any] = {"role": "user", "content": "Grüezi"}


def turns(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(blocks)}]


# What is asked beside a plain question, and the field that is named. On Anthropic's vendors and Bedrock alike:
OPENAI_ON_OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"n": 2}, "n"),
    ({"logprobs": True}, "logprobs"),
    ({"logit_bias": {"50256": -100}}, "logit_bias"),
    ({"frequency_penalty": 0.5}, "frequency_penalty"),
    ({"presence_penalty": -0.5}, "presence_penalty"),
    ({"seed": 7}, "seed"),
    ({"store": True}, "store"),
    ({"temperature": 1.5}, "temperature"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
    ({"web_search_options": {}}, "web_search_options"),
    ({"functions": [{"name": "f"}]}, "functions"),
    ({"reasoning_effort": "minimal"}, "reasoning_effort"),
    ({"service_tier": "flex"}, "service_tier"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
    ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, "tools[0].type"),
    ({"messages": turns(SOUND)}, "messages[0].content[0].type"),
    ({"messages": [USER, {"role": "function", "name": "f", "content": "x"}]}, "messages[1].role"),
    ({"from_tomorrow": 1}, "from_tomorrow"),
]
ANTHROPIC_ON_COMPATIBLE: list[tuple[dict[str, Any], str]] = [
    ({"top_k": 5}, "top_k"),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking"),
    ({"mcp_servers": [{"type": "url", "url": "https://example.org", "name": "m"}]}, "mcp_servers"),
    ({"container": "c_1"}, "container"),
    ({"stop_sequences": ["1", "2", "3", "4", "5"]}, "stop_sequences"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
    ({"messages": [USER, {"role": "assistant", "content": "The answer is"}]}, "messages[1]"),
    ({"messages": turns({"type": "search_result", "source": "s"})}, "messages[0].content[0].type"),
    ({"messages": turns({"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}})},
     "messages[0].content[0].source.type"),
    ({"from_tomorrow": 1}, "from_tomorrow"),
]  # fmt: skip
ANTHROPIC_ON_BEDROCK: list[tuple[dict[str, Any], str]] = [
    ({"mcp_servers": [{"type": "url", "url": "https://example.org", "name": "m"}]}, "mcp_servers"),
    ({"container": "c_1"}, "container"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
    ({"messages": turns(PICTURE)}, "messages[0].content[0].source.type"),
    ({"messages": turns({"type": "search_result", "source": "s"})}, "messages[0].content[0].type"),
    ({"from_tomorrow": 1}, "from_tomorrow"),
]

ROWS = [
    *(("openai", place, more, field) for place in ("anthropic", "bedrock") for more, field in OPENAI_ON_OTHERS),
    *(("anthropic", "compatible", more, field) for more, field in ANTHROPIC_ON_COMPATIBLE),
    *(("anthropic", "bedrock", more, field) for more, field in ANTHROPIC_ON_BEDROCK),
]


@pytest.mark.parametrize(
    ("dialect", "place", "more", "field"), ROWS, indirect=["place"], ids=[f"{r[0]}-{r[1]}-{r[3]}" for r in ROWS]
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_it_names_the_field(
    server: Gateway, calls: Calls, place: Place, dialect: str, more: dict[str, Any], field: str, stream: bool
) -> None:
    answer = post(server, dialect, body_of(dialect, place.model("ok", dialect)) | more | {"stream": stream})
    assert answer.status == 400
    message, param = answer.error()
    assert f"`{field}`" in message
    assert param == (field if dialect == "openai" else "")
    assert calls.all == []


def test_an_image_at_a_url_reaches_who_can_fetch_it(server: Gateway, calls: Calls, place: Place, dialect: str) -> None:
    url = "https://example.org/gull.png"
    part = PICTURE if dialect == "anthropic" else {"type": "image_url", "image_url": {"url": url}}
    answer = post(server, dialect, body_of(dialect, place.model("ok", dialect)) | {"messages": turns(part)})
    if place.name == "bedrock":
        assert answer.status == 400
        assert "messages[0].content[0].source.type" in answer.error()[0]
        assert calls.all == []
    else:
        assert answer.status == 200
        assert all(url in call.body.decode() for call in calls.all)


def test_token_counts_where_the_vendor_has_them(server: Gateway, calls: Calls, place: Place) -> None:
    body = body_of("anthropic", place.model("ok", "anthropic"), Asked(system="Kurz."))
    del body["max_tokens"]
    answer = post(server, "anthropic", body, "/v1/messages/count_tokens")
    if place.name == "compatible":
        assert (answer.status, calls.all) == (400, [])
        assert "/v1/messages/count_tokens" in answer.error()[0]
    else:
        assert answer.status == 200
        assert answer.json["input_tokens"] > 0
