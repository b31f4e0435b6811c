"""OpenAI's SDK: tools, structured output, images in messages, exact usage."""

from __future__ import annotations

from typing import Any

import openai
import pydantic
import pytest

from tests.sdk.conftest import Seen
from tests.upstream import Call, Recipe, Upstream, right
from tests.upstream.openai_others import PIXEL
from tests.upstream.recipe import encode
from tests.upstream.steps import Behaviour, Steps, deliver

HELLO: Any = [{"role": "user", "content": "Grüezi"}]
PLACE = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "get_weather", "parameters": PLACE}},
    {"type": "function", "function": {"name": "get_tide", "parameters": PLACE}},
]
WEATHER = {"place": "Zürich", "unit": "celsius"}
TIDE = {"place": 'Lindau "Hafen" ⚓'}


class Harbour(pydantic.BaseModel):
    """What a structured answer holds."""

    name: str
    berths: int


def answering(text: str) -> Behaviour:
    """The right answer with another text."""

    def play(call: Call) -> Steps:
        answer = right(call, Recipe(chunks=1))
        old, new = encode(Recipe(chunks=1).text), encode(text)
        return deliver(answer.with_pieces(*(piece.replace(old, new) for piece in answer.pieces)))

    return Behaviour("answering", play)


def test_parallel_tool_calls(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("tools")
    choice = oai.chat.completions.create(model="gpt-4o", messages=HELLO, tools=TOOLS).choices[0]
    calls = choice.message.tool_calls or []
    assert choice.finish_reason == "tool_calls"
    assert [(call.function.name, pydantic.TypeAdapter(dict[str, str]).validate_json(call.function.arguments))
            for call in calls if call.type == "function"] == [("get_weather", WEATHER), ("get_tide", TIDE)]  # fmt: skip
    assert len({call.id for call in calls}) == 2
    assert seen.call.json["tools"] == TOOLS


def test_the_round_trip_of_tool_results_is_byte_faithful(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("tools")
    first = oai.chat.completions.create(model="gpt-4o", messages=HELLO, tools=TOOLS).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "12 °C"} for call in first.tool_calls or []]
    messages: Any = [*HELLO, first.model_dump(exclude_none=True), *results]
    answer = oai.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
    assert answer.choices[0].message.content == Recipe().text
    assert seen.calls[1].json["messages"] == messages


def test_streamed_fragments_of_tool_calls(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("tools", "tools")
    heads: list[tuple[int, str]] = []
    fragments: dict[int, list[str]] = {0: [], 1: []}
    for chunk in oai.chat.completions.create(model="gpt-4o", messages=HELLO, tools=TOOLS, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            assert call.function is not None
            if call.function.name:
                heads.append((call.index, call.function.name))
            if call.function.arguments:
                fragments[call.index].append(call.function.arguments)
    assert heads == [(0, "get_weather"), (1, "get_tide")]
    assert [len(parts) for parts in fragments.values()] == [4, 3]
    with oai.chat.completions.stream(model="gpt-4o", messages=HELLO, tools=TOOLS) as stream:
        final = stream.get_final_completion().choices[0].message.tool_calls or []
    assert [call.function.arguments for call in final] == ["".join(parts) for parts in fragments.values()]


def test_tool_calls_of_the_responses_route(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("tools", "tools")
    tools: Any = [{"type": "function", **tool["function"], "strict": None} for tool in TOOLS]
    whole = oai.responses.create(model="gpt-4o", input="Grüezi", tools=tools)
    with oai.responses.stream(model="gpt-4o", input="Grüezi", tools=tools) as stream:
        parts = [event.delta for event in stream if event.type == "response.function_call_arguments.delta"]
        final = stream.get_final_response()
    assert len(parts) == 7
    for answer in (whole, final):
        calls = [(item.name, item.arguments) for item in answer.output if item.type == "function_call"]
        assert calls == [("get_weather", "".join(parts[:4])), ("get_tide", "".join(parts[4:]))]


def test_structured_output(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan(answering('{"name": "Romanshorn", "berths": 450}'))
    answer = oai.chat.completions.parse(model="gpt-4o", messages=HELLO, response_format=Harbour)
    assert answer.choices[0].message.parsed == Harbour(name="Romanshorn", berths=450)
    sent = seen.call.json["response_format"]
    assert (sent["type"], sent["json_schema"]["name"]) == ("json_schema", "Harbour")
    assert sent["json_schema"]["schema"]["required"] == ["name", "berths"]


def test_structured_output_from_the_built_in_echo(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.chat.completions.parse(model="echo", messages=HELLO, response_format=Harbour)
    assert isinstance(answer.choices[0].message.parsed, Harbour)
    assert seen.calls == []


def test_an_image_in_a_message_goes_up_as_it_came(oai: openai.OpenAI, seen: Seen) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}},
    ]
    messages: Any = [{"role": "user", "content": parts}]
    oai.chat.completions.create(model="gpt-4o", messages=messages)
    assert seen.call.json["messages"] == messages


def test_a_large_image_goes_up_whole(oai: openai.OpenAI, seen: Seen) -> None:
    url = "data:image/png;base64," + PIXEL[:72] * 60_000  # about four MiB
    messages: Any = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    oai.chat.completions.create(model="gpt-4o", messages=messages)
    assert seen.call.json["messages"] == messages


def test_usage_with_cache_reads(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("cached")
    usage = oai.chat.completions.create(model="gpt-4o", messages=HELLO).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (1109, 37, 1146)
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 1024
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == 32


def test_usage_of_a_stream_when_it_is_asked_for(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("cached")
    options: Any = {"include_usage": True, "include_obfuscation": False}
    chunks = list(oai.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, stream_options=options))
    counted = [chunk.usage for chunk in chunks if chunk.usage]
    assert [(usage.prompt_tokens, usage.completion_tokens) for usage in counted] == [(1109, 37)]
    assert chunks[-1].choices == []
    assert seen.call.json["stream_options"] == options


def test_usage_of_responses(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("cached", "cached")
    whole = oai.responses.create(model="gpt-4o", input="Grüezi").usage
    with oai.responses.stream(model="gpt-4o", input="Grüezi") as stream:
        streamed = stream.get_final_response().usage
    assert whole == streamed
    assert whole is not None
    assert (whole.input_tokens, whole.output_tokens) == (1109, 37)
    assert whole.input_tokens_details.cached_tokens == 1024


@pytest.mark.parametrize("route", ["chat", "responses"])
def test_an_answer_that_stopped_at_its_limit(oai: openai.OpenAI, seen: Seen, vendor: Upstream, route: str) -> None:
    vendor.plan("length")
    if route == "chat":
        assert oai.chat.completions.create(model="gpt-4o", messages=HELLO).choices[0].finish_reason == "length"
    else:
        answer = oai.responses.create(model="gpt-4o", input="Grüezi", max_output_tokens=16)
        assert answer.incomplete_details is not None
        assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_fields_that_the_sdk_does_not_know_go_up(oai: openai.OpenAI, seen: Seen) -> None:
    oai.chat.completions.create(model="gpt-4o", messages=HELLO, extra_body={"from_tomorrow": {"a": [1.50, None]}})
    assert seen.call.json["from_tomorrow"] == {"a": [1.5, None]}


def test_what_the_sdk_says_about_itself_goes_up_and_credentials_do_not(
    oai: openai.OpenAI, seen: Seen, server: Any
) -> None:
    headers = {
        "OpenAI-Beta": "assistants=v2",
        "Cookie": "session=1",
        "X-Api-Key": server.key,
        "traceparent": "00-ab-cd",
    }
    oai.chat.completions.create(model="gpt-4o", messages=HELLO, extra_headers=headers)
    call = seen.call
    assert call.header("authorization") == "Bearer sk-vendor-openai-0123456789"
    assert (call.header("openai-beta"), call.header("traceparent")) == ("assistants=v2", "00-ab-cd")
    assert (call.header("x-stainless-lang"), call.header("cookie"), call.header("x-api-key")) == ("python", None, None)
    assert server.key not in str(call.headers)
