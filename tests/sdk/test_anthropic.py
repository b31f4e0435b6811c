"""Anthropic's SDK: messages whole, streamed and by its helper; tools, images, usage, counting, models."""

from __future__ import annotations

from typing import Any

import anthropic
import pydantic
import pytest

from tests.sdk.conftest import Seen
from tests.sdk.test_openai_abilities import Harbour, answering
from tests.upstream import Recipe, Upstream
from tests.upstream.openai_others import PIXEL

MODEL = "claude-sonnet-4-6"
HELLO: Any = [{"role": "user", "content": "Grüezi"}]
PLACE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
TOOLS: Any = [{"name": "get_weather", "input_schema": PLACE}, {"name": "get_tide", "input_schema": PLACE}]
ASKED: list[tuple[str, object]] = [
    ("get_weather", {"place": "Zürich", "unit": "celsius"}),
    ("get_tide", {"place": 'Lindau "Hafen" ⚓'}),
]


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def calls_of(message: anthropic.types.Message) -> list[tuple[str, object]]:
    return [(block.name, block.input) for block in message.content if block.type == "tool_use"]


def test_a_message(ant: anthropic.Anthropic, seen: Seen) -> None:
    message = ant.messages.create(
        model=MODEL,
        max_tokens=64,
        messages=HELLO,
        system="Be brief.",
        stop_sequences=["END"],
        extra_body={"top_k": 5},
    )
    assert (text_of(message), message.stop_reason, message.model) == (Recipe().text, "end_turn", MODEL)
    assert seen.call.json == {
        "max_tokens": 64,
        "messages": HELLO,
        "model": MODEL,
        "stop_sequences": ["END"],
        "system": "Be brief.",
        "top_k": 5,
    }


def test_a_streamed_message(ant: anthropic.Anthropic, seen: Seen) -> None:
    events = list(ant.messages.create(model=MODEL, max_tokens=64, messages=HELLO, stream=True))
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 5,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert seen.call.json["stream"] is True


def test_the_stream_helper(ant: anthropic.Anthropic, seen: Seen) -> None:
    with ant.messages.stream(model=MODEL, max_tokens=64, messages=HELLO) as stream:
        assert list(stream.text_stream) == Recipe().fragments
        message = stream.get_final_message()
    assert (text_of(message), message.usage.output_tokens) == (Recipe().text, 5)


def test_parallel_tool_calls_and_their_results(ant: anthropic.Anthropic, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("tools")
    message = ant.messages.create(model=MODEL, max_tokens=64, messages=HELLO, tools=TOOLS)
    assert (calls_of(message), message.stop_reason) == (ASKED, "tool_use")
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "12 °C"}
        for block in message.content
        if block.type == "tool_use"
    ]
    turns: Any = [
        *HELLO,
        {"role": "assistant", "content": message.model_dump(exclude_none=True)["content"]},
        {"role": "user", "content": results},
    ]
    assert text_of(ant.messages.create(model=MODEL, max_tokens=64, messages=turns, tools=TOOLS)) == Recipe().text
    assert seen.calls[1].json["messages"] == turns


def test_streamed_fragments_of_tool_calls(ant: anthropic.Anthropic, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("tools")
    with ant.messages.stream(model=MODEL, max_tokens=64, messages=HELLO, tools=TOOLS) as stream:
        parts = [event.partial_json for event in stream if event.type == "input_json"]
        message = stream.get_final_message()
    assert len([part for part in parts if part]) == 7
    assert calls_of(message) == ASKED


def test_structured_output(ant: anthropic.Anthropic, seen: Seen, vendor: Upstream) -> None:
    vendor.plan(answering('{"name": "Romanshorn", "berths": 450}'))
    message = ant.messages.parse(model=MODEL, max_tokens=64, messages=HELLO, output_format=Harbour)
    assert message.parsed_output == Harbour(name="Romanshorn", berths=450)
    assert seen.call.json["output_config"]["format"]["schema"]["required"] == ["name", "berths"]


def test_an_image_in_a_message(ant: anthropic.Anthropic, seen: Seen) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    turns: Any = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    ant.messages.create(model=MODEL, max_tokens=64, messages=turns)
    assert seen.call.json["messages"] == turns


@pytest.mark.parametrize("streamed", [False, True])
def test_usage_with_cache_reads_and_writes(
    ant: anthropic.Anthropic, seen: Seen, vendor: Upstream, streamed: bool
) -> None:
    vendor.plan("cached")
    if streamed:
        with ant.messages.stream(model=MODEL, max_tokens=64, messages=HELLO) as stream:
            usage = stream.get_final_message().usage
    else:
        usage = ant.messages.create(model=MODEL, max_tokens=64, messages=HELLO).usage
    assert (usage.input_tokens, usage.output_tokens) == (21, 37)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (1024, 64)


def test_the_limit_is_a_stop_reason(ant: anthropic.Anthropic, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("length")
    assert ant.messages.create(model=MODEL, max_tokens=5, messages=HELLO).stop_reason == "max_tokens"


def test_counting_tokens(ant: anthropic.Anthropic, seen: Seen) -> None:
    assert ant.messages.count_tokens(model=MODEL, messages=HELLO, tools=TOOLS).input_tokens == 21
    assert seen.call.route == "/v1/messages/count_tokens"


def test_the_models_that_callers_may_name(ant: anthropic.Anthropic, seen: Seen) -> None:
    assert [(model.type, model.id) for model in ant.models.list()] == [("model", "house-model"), ("model", "echo")]
    assert ant.models.retrieve("house-model").display_name == "house-model"
    assert ant.models.retrieve(MODEL).id == MODEL
    with pytest.raises(anthropic.NotFoundError) as caught:
        ant.models.retrieve("nobodys-model")
    assert caught.value.type == "not_found_error"


def test_betas_and_versions_go_up_and_credentials_do_not(ant: anthropic.Anthropic, seen: Seen, server: Any) -> None:
    headers = {"anthropic-beta": "tomorrow-2030-01-01", "anthropic-version": "2023-01-01", "Cookie": "session=1"}
    ant.messages.create(model=MODEL, max_tokens=64, messages=HELLO, extra_headers=headers)
    call = seen.call
    assert [value for name, value in call.headers if name.lower() == "x-api-key"] == ["sk-ant-vendor-0123456789"]
    assert (call.header("anthropic-beta"), call.header("anthropic-version")) == ("tomorrow-2030-01-01", "2023-01-01")
    assert (call.header("authorization"), call.header("cookie")) == (None, None)
    assert server.key not in str(call.headers)


def test_structured_output_from_the_built_in_echo(ant: anthropic.Anthropic, seen: Seen) -> None:
    schema: Any = {"type": "json_schema", "schema": {**Harbour.model_json_schema(), "additionalProperties": False}}
    message = ant.messages.create(model="echo", max_tokens=64, messages=HELLO, output_config={"format": schema})
    assert isinstance(pydantic.TypeAdapter(Harbour).validate_json(text_of(message)).berths, int)
    assert seen.calls == []
