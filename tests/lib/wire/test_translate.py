"""Both directions together: the front door, round trips, OpenAI on Bedrock, and any JSON at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.base.errors import BadRequest, GatewayError, RateLimited, VendorRefused
from lib.wire import ConverseStream, Dialect, Event, Translation, events, from_converse, to_converse, translation
from lib.wire.hints import ANTHROPIC_HINTS, ANTHROPIC_NEUTRAL, BEDROCK_HINTS, OPENAI_HINTS, OPENAI_NEUTRAL
from tests.lib.wire.junk import JSON, spoiled
from tests.lib.wire.streams import (
    ANTHROPIC,
    ANTHROPIC_FROM_CONVERSE,
    ANTHROPIC_FROM_OPENAI,
    CONVERSE,
    OPENAI,
    OPENAI_FROM_ANTHROPIC,
)


def between(client: Dialect, vendor: Dialect) -> Translation:
    found = translation(client, vendor)
    assert found is not None
    return found


ON_ANTHROPIC = between(Dialect.OPENAI, Dialect.ANTHROPIC)
ON_OPENAI = between(Dialect.ANTHROPIC, Dialect.OPENAI)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}

OPENAI_REQUEST: dict[str, Any] = {
    "model": "gpt",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}, IMAGE, FILE]},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}},
                {"id": "call_2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "5 degrees"},
        {"role": "tool", "tool_call_id": "call_2", "content": "12:00"},
        {"role": "user", "content": "And?"},
    ],
    "max_completion_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["a", "b"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [
        {
            "type": "function",
            "function": {"name": "weather", "description": "Now", "parameters": SCHEMA, "strict": True},
        },
        {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}},
    ],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "parallel_tool_calls": False,
    "reasoning_effort": "low",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "output", "schema": SCHEMA, "strict": True},
    },
    "user": "u-1",
    "service_tier": "default",
}
ANTHROPIC_REQUEST = ON_ANTHROPIC.request(OPENAI_REQUEST, "claude")
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 5,
    "model": "gpt",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "refusal": None,
                "reasoning_content": "Hm",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}
MESSAGE = ON_OPENAI.response(COMPLETION)
CONVERSED = {
    "output": {
        "message": {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "s"}}},
                {"text": "Hi"},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
            ],
        }
    },
    "stopReason": "tool_use",
    "usage": {
        "inputTokens": 5,
        "outputTokens": 7,
        "totalTokens": 12,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 1}],
    },
}


def stream(direction: Translation) -> Any:
    return direction.stream(include_usage=True, created=1700000000, model="m")


@pytest.mark.parametrize("dialect", list(Dialect))
def test_one_dialect_needs_no_translation(dialect: Dialect) -> None:
    assert translation(dialect, dialect) is None


def test_a_request_survives_the_way_there_and_back() -> None:
    assert ON_OPENAI.request(ANTHROPIC_REQUEST, "gpt") == OPENAI_REQUEST


def test_the_other_way_round_too() -> None:
    again = ON_ANTHROPIC.request(ON_OPENAI.request(ANTHROPIC_REQUEST, "gpt"), "claude")
    assert again == ANTHROPIC_REQUEST


def test_an_answer_survives_the_way_there_and_back() -> None:
    assert ON_ANTHROPIC.response(MESSAGE, 5) == COMPLETION
    assert ON_ANTHROPIC.response(MESSAGE)["created"] == 0


def test_a_stream_survives_the_way_there_and_back() -> None:
    there = b"".join(map(stream(ON_OPENAI).feed, events(OPENAI)))
    back = b"".join(map(stream(ON_ANTHROPIC).feed, events(there)))
    assert back == OPENAI.replace(b'"audio_tokens":0', b'"cache_write_tokens":0')


def test_the_frozen_streams_by_the_front_door() -> None:
    assert b"".join(map(stream(ON_ANTHROPIC).feed, events(ANTHROPIC))) == OPENAI_FROM_ANTHROPIC
    assert b"".join(map(stream(ON_OPENAI).feed, events(OPENAI))) == ANTHROPIC_FROM_OPENAI


def test_an_openai_client_on_bedrock_goes_through_both() -> None:
    there = to_converse(ANTHROPIC_REQUEST)
    assert there["system"] == [{"text": "Be brief."}]
    assert [message["role"] for message in there["messages"]] == ["user", "assistant", "user"]
    assert [next(iter(block)) for block in there["messages"][2]["content"]] == ["toolResult", "toolResult", "text"]
    assert there["outputConfig"]["effort"] == "low"
    assert there["additionalModelRequestFields"]["tool_choice"] == {
        "type": "tool",
        "name": "weather",
        "disable_parallel_tool_use": True,
    }
    back = ON_ANTHROPIC.response(from_converse(CONVERSED, "bedrock/claude", "r1"))
    (choice,) = back["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["reasoning_content"] == "Hm"
    assert back["usage"]["total_tokens"] == 13


def test_bedrocks_stream_for_an_openai_client() -> None:
    out = b"".join(map(stream(ON_ANTHROPIC).feed, events(ANTHROPIC_FROM_CONVERSE)))
    expected = OPENAI_FROM_ANTHROPIC
    for ours, theirs in ((b"msg_r1", b"msg_01"), (b"bedrock/claude", b"claude-sonnet-4-5"), (b'"t_', b'"toolu_')):
        out = out.replace(ours, theirs)
    assert out == expected


@pytest.mark.parametrize(
    ("direction", "fields"),
    [
        (ON_ANTHROPIC.request, {key: {} for key in OPENAI_HINTS}),
        (ON_OPENAI.request, {key: {} for key in ANTHROPIC_HINTS}),
        (lambda body, model: to_converse(body), {key: {} for key in BEDROCK_HINTS}),
        *[(ON_ANTHROPIC.request, {key: value}) for key, values in OPENAI_NEUTRAL.items() for value in values],
        *[(ON_OPENAI.request, {key: value}) for key, values in ANTHROPIC_NEUTRAL.items() for value in values],
    ],
)
def test_every_hint_and_neutral_value_changes_nothing(direction: Callable[..., Any], fields: dict[str, Any]) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert direction({**body, **fields}, "m") == direction(body, "m")


REQUESTS: list[tuple[Callable[[dict[str, Any]], Any], list[dict[str, Any]]]] = [
    (lambda body: ON_ANTHROPIC.request(body, "claude"), [OPENAI_REQUEST]),
    (lambda body: ON_OPENAI.request(body, "gpt"), [ANTHROPIC_REQUEST]),
    (to_converse, [ANTHROPIC_REQUEST]),
]


@pytest.mark.parametrize(("translate", "bodies"), REQUESTS, ids=["anthropic", "openai", "bedrock"])
@settings(max_examples=150)
@given(data=st.data())
def test_a_spoiled_request_is_translated_or_refused(
    translate: Callable[[dict[str, Any]], Any], bodies: list[dict[str, Any]], data: st.DataObject
) -> None:
    body = data.draw(spoiled(bodies))
    try:
        assert translate(body)["messages"]
    except BadRequest as refused:
        error = refused
    else:
        return
    assert error.param


@pytest.mark.parametrize(("translate", "bodies"), REQUESTS, ids=["anthropic", "openai", "bedrock"])
@settings(max_examples=50)
@given(fields=st.dictionaries(st.sampled_from([*OPENAI_REQUEST, *ANTHROPIC_REQUEST, "x"]), JSON, max_size=4))
def test_a_request_of_any_json_is_refused(
    translate: Callable[[dict[str, Any]], Any], bodies: list[dict[str, Any]], fields: dict[str, Any]
) -> None:
    with pytest.raises(BadRequest):
        translate({**fields, "messages": fields.get("messages")})


ANSWERS: list[tuple[Callable[[dict[str, Any]], Any], list[dict[str, Any]]]] = [
    (ON_ANTHROPIC.response, [MESSAGE]),
    (ON_OPENAI.response, [COMPLETION]),
    (lambda body: from_converse(body, "m", "r"), [CONVERSED]),
]


@pytest.mark.parametrize(("translate", "bodies"), ANSWERS, ids=["anthropic", "openai", "bedrock"])
@settings(max_examples=100)
@given(data=st.data())
def test_a_spoiled_answer_is_translated_or_the_vendors_fault(
    translate: Callable[[dict[str, Any]], Any], bodies: list[dict[str, Any]], data: st.DataObject
) -> None:
    try:
        result = translate(data.draw(spoiled(bodies)))
    except (GatewayError, RateLimited, VendorRefused):
        return
    assert msgspec.json.encode(result)


@pytest.mark.parametrize(
    ("make", "frozen"),
    [(lambda: stream(ON_ANTHROPIC), ANTHROPIC), (lambda: stream(ON_OPENAI), OPENAI)],
    ids=["anthropic", "openai"],
)
@settings(max_examples=100)
@given(data=st.data())
def test_a_spoiled_stream_is_translated_or_the_vendors_fault(
    make: Callable[[], Any], frozen: bytes, data: st.DataObject
) -> None:
    whole = [msgspec.json.decode(event.data) for event in events(frozen) if event.data != b"[DONE]"]
    spoil = data.draw(st.integers(0, len(whole) - 1))
    whole[spoil] = data.draw(spoiled([whole[spoil]]))
    translator = make()
    out = b""
    try:
        for body in whole:
            out += translator.feed(Event(None, msgspec.json.encode(body)))
    except (GatewayError, RateLimited, VendorRefused):
        return
    out += translator.finish()
    assert translator.finish() == b""
    assert all(event.data == b"[DONE]" or msgspec.json.decode(event.data) for event in events(out))


@settings(max_examples=100)
@given(data=st.data())
def test_a_spoiled_converse_stream_is_translated_or_the_vendors_fault(data: st.DataObject) -> None:
    spoil = data.draw(st.integers(0, len(CONVERSE) - 1))
    whole = [*CONVERSE[:spoil], data.draw(spoiled([CONVERSE[spoil]])), *CONVERSE[spoil + 1 :]]
    translator = ConverseStream("m", "msg_1")
    out = b""
    try:
        for event in whole:
            out += translator.feed(event)
    except (GatewayError, RateLimited, VendorRefused):
        return
    out += translator.finish()
    names = [event.name for event in events(out)]
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    assert names.count("content_block_start") == names.count("content_block_stop")
