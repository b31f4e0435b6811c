"""What a request only refers to is reserved by the model's window, or by what the operator says."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from lib.limits import Price, RateCard, Tier, estimate, unseen
from lib.limits.estimate import MOST_UNSEEN, UNSEEN_TOKENS
from lib.wire import JsonBody, Shape, path_of

D = Decimal
WINDOW = 128_000
PRICE = Price("genai-prices", RateCard(D(1), D(1), D(1), D(1), D(1)), context_window=WINDOW)
TEXT = "See https://example.org"
ADDRESS = "https://example.org/a.pdf"
IN_MESSAGE = [
    {"type": "document", "source": {"type": "url", "url": ADDRESS}},
    {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    {"type": "container_upload", "file_id": "file_1"},
    {"type": "file", "file": {"file_id": "file-1"}},
    {"type": "file", "file": {"filename": "a.pdf", "file_data": ADDRESS}},
    {"type": "input_file", "file_id": "file-1"},
    {"type": "input_file", "file_url": ADDRESS},
    {"type": "document_url", "document_url": ADDRESS},
    {"type": "document_url", "document_url": " " * 20 + ADDRESS},
    {"type": "document_url", "document_url": "HTTPS:/example.org/a.pdf"},
    {"type": "document_url", "document_url": {"url": ADDRESS}},
    {"type": "video_url", "video_url": {"url": ADDRESS}},
    {"type": "audio_url", "audio_url": {"url": ADDRESS}},
    {"type": "input_audio", "input_audio": "https://example.org/a.mp3"},
    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "document", "source": {"url": ADDRESS}}]},
]
FIELDS = [
    {"previous_response_id": "resp_1"},
    {"conversation": {"id": "conv_1"}},
    {"prompt": {"id": "pmpt_1"}},
    {"container": "container_1"},
    {"mcp_servers": [{"type": "url", "url": "https://example.org"}]},
    {"input": [{"type": "item_reference", "id": "msg_1"}]},
    {"input": [{"id": "msg_1"}]},
    {"input": [{"type": None, "id": "msg_1"}]},
    {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]},
    {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
    {"tools": [{"type": "mcp", "server_url": "https://example.org"}]},
    *({name: [{"role": "user", "content": [part]}]} for name in ("messages", "input") for part in IN_MESSAGE),
]
SCHEMA = {"type": "object", "properties": {"file_id": {"type": "string"}, "document_url": {"type": "string"}}}
SHOWN = [
    {},
    {"previous_response_id": None},
    {"mcp_servers": []},
    {"input": [{"id": "msg_1", "role": "user", "content": "hi"}, {"type": "function_call", "id": "fc_1", "name": "f"}]},
    {"prompt": "a text"},
    {"input": 'see https://example.org/a.pdf and "file_id"'},
    {"tools": [{"type": "function", "function": {"name": "read", "parameters": SCHEMA}}]},
    {"tools": [{"name": "read", "input_schema": SCHEMA}]},
    {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "t", "input": {"file_id": "f"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": ADDRESS}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": ADDRESS}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "a"}}]}]},
    {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": TEXT}}]}]},
    {"messages": [None, 1, "x", [], {"content": 5}, {"type": 5, "content": [7]}], "tools": [None], "input": 1},
]


def cost(fields: dict[str, Any], price: Price = PRICE, shape: Shape = Shape.RESPONSE, **more: Any) -> int:
    """What is reserved for a request with one token to come, in tokens: each costs a thousand nano-USD."""
    body = {"model": "m", "max_tokens": 1, **fields}
    found = estimate(path_of(shape), JsonBody(json.dumps(body).encode()), price, 10, **more)
    return found.cost_nano // 1000 - 1


@pytest.mark.parametrize("fields", FIELDS)
def test_what_is_elsewhere_may_fill_the_window(fields: dict[str, Any]) -> None:
    assert cost(fields) == WINDOW


@pytest.mark.parametrize("fields", SHOWN)
def test_what_is_shown_counts_by_its_size(fields: dict[str, Any]) -> None:
    assert cost(fields) < 3000


def test_without_a_window_the_operator_says() -> None:
    price = Price("models.toml", PRICE.rates)
    assert cost({"previous_response_id": "x"}, price) == MOST_UNSEEN
    assert cost({"previous_response_id": "x"}, price, default_input=70_000) == 70_000
    assert cost({"previous_response_id": "x", "input": "y" * 300_000}, price, default_input=70_000) > 100_000


def test_a_window_with_prices_beyond_it_costs_what_is_beyond() -> None:
    dear = RateCard(D(2), D(1), D(2), D(2), D(2))
    price = Price("genai-prices", PRICE.rates, (Tier(WINDOW, dear),), context_window=WINDOW)
    assert cost({"previous_response_id": "x"}, price, default_input=10) == 2 * (WINDOW + 1)


def test_rates_and_guesses_go_by_what_is_likely() -> None:
    body = JsonBody(b'{"model": "m", "previous_response_id": "x"}')
    found = estimate(path_of(Shape.RESPONSE), body, PRICE, 10)
    assert UNSEEN_TOKENS < found.input_tokens < UNSEEN_TOKENS + 100


@pytest.mark.parametrize("fields", [
    b'"input": [{"content": [{"type": "input_file", "\\u0066ile_id": "f"}]}]',
    b'"messages": [{"content": [{"type": "input\\u005faudio", "input\\u005faudio": {"data": "AAAA"}}]}]',
    b'"tools": [{"type": "\\u006dcp"}]',
])  # fmt: skip
def test_a_key_in_other_letters_hides_nothing(fields: bytes) -> None:
    raw = b'{"model": "m", "max_tokens": 1, %b}' % fields
    assert estimate(path_of(Shape.RESPONSE), JsonBody(raw), PRICE, 10).cost_nano == (WINDOW + 1) * 1000


def test_words_of_tools_and_texts_are_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body is decoded only where something may be elsewhere: agents name files in every call."""
    call = {"type": "tool_use", "id": "t", "name": "read", "input": {"file_path": "a", "filename": "b", "url": ADDRESS}}
    body = JsonBody(json.dumps({"messages": [{"role": "assistant", "content": [call]}]}).encode())
    monkeypatch.setattr(JsonBody, "get", lambda *_: pytest.fail("decoded"))
    assert unseen(body) == (False, 0, False)


@pytest.mark.parametrize("part", [
    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "A" * 60_000}},
    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 60_000}},
    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64," + "A" * 60_000},
])  # fmt: skip
def test_pages_may_hold_more_than_their_bytes(part: dict[str, Any]) -> None:
    one, many = ({"messages": [{"role": "user", "content": [part] * count}]} for count in (1, 3))
    assert 60_000 < cost(one) < WINDOW
    assert cost(many) == WINDOW
    assert 180_000 < cost(many, Price("models.toml", PRICE.rates)) < 200_000


def test_a_sound_without_a_price_of_its_own_may_fill_the_window() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    fields = {"messages": [{"role": "user", "content": [sound]}]}
    assert cost(fields, shape=Shape.CHAT) == WINDOW
    heard = replace(PRICE.rates, special={"input_audio": D(1)})
    for price in (Price("genai-prices", heard, context_window=WINDOW), Price("models.toml", PRICE.rates)):
        assert cost(fields, price, Shape.CHAT) < 3000


@pytest.mark.parametrize(("fields", "tokens"), [
    ({"input": "x" * 100}, 1000), ({"input": "x" * 4000}, 8000), ({"input": "x" * 4000, "speed": 0.25}, 32_000),
    ({"input": "x" * 4000, "speed": 4}, 8000), ({"input": "x" * 4000, "speed": 0}, 32_000), ({"input": 5}, 1000),
])  # fmt: skip
def test_what_is_spoken_is_as_long_as_its_text(fields: dict[str, Any], tokens: int) -> None:
    body = JsonBody(json.dumps({"model": "m", "voice": "v", **fields}).encode())
    assert estimate(path_of(Shape.SPEECH), body, PRICE, 1000).output_tokens == tokens
