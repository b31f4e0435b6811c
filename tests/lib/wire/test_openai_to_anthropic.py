"""Chat completion requests as Messages requests: what corresponds to what, and what is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.openai_to_anthropic import DEFAULT_MAX_TOKENS, to_anthropic_request

USER = {"role": "user", "content": "Hi"}
HI = {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
BASE: dict[str, Any] = {"model": "claude", "max_tokens": DEFAULT_MAX_TOKENS, "messages": [HI]}

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    },
}
WEATHER_TOOL = {
    "name": "get_weather",
    "description": "Current weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": True,
}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


def translate(**fields: Any) -> dict[str, Any]:
    return to_anthropic_request({"model": "anthropic/claude", "messages": [USER], **fields}, "claude")


def turns(*messages: Any) -> list[Any]:
    result: list[Any] = translate(messages=list(messages))["messages"]
    return result


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"stream": True}, {"stream": True}),
        ({"stream": False}, {}),
        ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
        ({"max_tokens": 10}, {"max_tokens": 10}),
        ({"max_completion_tokens": 20}, {"max_tokens": 20}),
        ({"max_completion_tokens": 20, "max_tokens": 10}, {"max_tokens": 20}),
        ({"max_completion_tokens": None, "max_tokens": 10}, {"max_tokens": 10}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"temperature": 1}, {"temperature": 1}),
        ({"temperature": 0.7, "top_p": 0.9, "top_k": 40}, {"temperature": 0.7, "top_p": 0.9, "top_k": 40}),
        ({"temperature": None, "top_p": None}, {}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
        ({"stop": None}, {}),
        ({"stop": []}, {}),
        ({"user": "u-1"}, {"metadata": {"user_id": "u-1"}}),
        ({"user": "old", "safety_identifier": "new"}, {"metadata": {"user_id": "new"}}),
        ({"service_tier": "auto"}, {}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"reasoning_effort": "low"}, {"output_config": {"effort": "low"}}),
        ({"reasoning_effort": "xhigh"}, {"output_config": {"effort": "xhigh"}}),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        ),
        ({"response_format": {"type": "text"}}, {}),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": SCHEMA, "strict": True},
                }
            },
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        ),
        (
            {
                "reasoning_effort": "high",
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": SCHEMA, "description": "A number"},
                },
            },
            {
                "output_config": {
                    "effort": "high",
                    "format": {"type": "json_schema", "schema": {"description": "A number", **SCHEMA}},
                }
            },
        ),
    ],
)
def test_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert translate(**fields) == {**BASE, **expected}


@pytest.mark.parametrize(
    "fields",
    [
        {"n": 1},
        {"logprobs": False, "top_logprobs": 0, "logit_bias": {}},
        {"frequency_penalty": 0, "presence_penalty": 0.0},
        {"store": False, "metadata": {"team": "a"}},
        {"modalities": ["text"], "verbosity": "medium"},
        {"functions": [], "function_call": "none"},
        {"prediction": {"type": "content", "content": "x"}},
        {"prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache_options": {"ttl": "30m"}},
        {"seed": None, "audio": None, "web_search_options": None, "whatever": None},
        {"tools": [], "tool_choice": "auto"},
        {"tool_choice": "none", "parallel_tool_calls": False},
    ],
)
def test_what_asks_for_nothing_is_left_out(fields: dict[str, Any]) -> None:
    assert translate(**fields) == BASE


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 1.2}, "temperature"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"frequency_penalty": 0.1}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"seed": 0}, "seed"),
        ({"store": True}, "store"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"verbosity": "low"}, "verbosity"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"moderation": {"model": "x"}}, "moderation"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"reasoning_effort": "minimal"}, "reasoning_effort"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "response_format.json_schema.schema",
        ),
        ({"best_of": 3}, "best_of"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [WEATHER], "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice.type"),
        ({"messages": [{"role": "user", "content": "Hi", "name": "ada"}]}, "messages[0].name"),
        ({"messages": [USER, {"role": "function", "name": "f", "content": "1"}]}, "messages[1].role"),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "messages[0].audio"),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, "messages[0].function_call"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": ""}}]}]},
            "messages[0].content[0].type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
            "messages[0].content[0].file.file_id",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/csv;base64,YSxi"}}]}
                ]
            },
            "messages[0].content[0].file.file_data",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "data:image/tiff;base64,SUkq"}}],
                    }
                ]
            },
            "messages[0].content[0].image_url.url",
        ),
        (
            {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]}]},
            "messages[0].content[0].type",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "type": "custom", "custom": {}}]}]},
            "messages[0].tool_calls[0].type",
        ),
    ],
)
def test_what_has_no_equivalent_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate(**fields)
    assert caught.value.param == param
    assert caught.value.code == "unsupported_parameter"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [USER, USER, {"role": "user", "content": 5}]}, "messages[2].content"),
        ({"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp://x"}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "https://x"}]}]},
            "messages[0].content[0].image_url",
        ),
        ({"messages": [{"role": "tool", "content": "1"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0].function"),
        (
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "["}}]}
                ]
            },
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "1"}}]}
                ]
            },
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "10"}, "max_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"stop": 5}, "stop"),
        ({"stop": ["a", 5]}, "stop[1]"),
        ({"stream": "yes"}, "stream"),
        ({"user": 5}, "user"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
            "tools[0].function.parameters",
        ),
        ({"tools": [WEATHER], "tool_choice": "maybe"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": 5}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
        ({"response_format": "text"}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"reasoning_effort": 3}, "reasoning_effort"),
        ({"reasoning_effort": "none", "thinking": {"type": "adaptive"}}, "reasoning_effort"),
    ],
)
def test_what_is_malformed_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        translate(**fields)
    assert caught.value.param == param
    assert not isinstance(caught.value, Untranslatable)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}),
        ({"tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
        ({"tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
            {"tool_choice": {"type": "tool", "name": "get_weather"}},
        ),
        ({"parallel_tool_calls": True}, {}),
        ({"parallel_tool_calls": False}, {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
        (
            {"parallel_tool_calls": False, "tool_choice": "required"},
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
        ),
        ({"parallel_tool_calls": False, "tool_choice": "none"}, {"tool_choice": {"type": "none"}}),
    ],
)
def test_tool_choice(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert translate(tools=[WEATHER], **fields) == {**BASE, "tools": [WEATHER_TOOL], **expected}


@pytest.mark.parametrize(
    ("function", "tool"),
    [
        ({"name": "now"}, {"name": "now", "input_schema": {"type": "object", "properties": {}}}),
        ({"name": "now", "parameters": {}}, {"name": "now", "input_schema": {"type": "object"}}),
        (
            {"name": "now", "strict": False, "description": ""},
            {"name": "now", "description": "", "input_schema": {"type": "object", "properties": {}}},
        ),
    ],
)
def test_tools_without_much(function: dict[str, Any], tool: dict[str, Any]) -> None:
    assert translate(tools=[{"type": "function", "function": function}])["tools"] == [tool]


def test_system_and_developer_messages_become_the_system_prompt() -> None:
    messages = [
        {"role": "system", "content": "One"},
        {"role": "developer", "content": [{"type": "text", "text": "Two"}, {"type": "text", "text": "Three"}]},
        USER,
        {"role": "system", "content": "Four"},
        {"role": "system", "content": ""},
    ]
    assert translate(messages=messages) == {
        **BASE,
        "system": [{"type": "text", "text": text} for text in ("One", "Two", "Three", "Four")],
    }


def test_images_and_files() -> None:
    content = [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0=", "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.jpg"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
    ]
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert turns({"role": "user", "content": content}) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "See"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.jpg"}},
                {"type": "document", "source": pdf, "title": "a.pdf"},
                {"type": "document", "source": pdf},
            ],
        }
    ]


def test_parallel_calls_and_their_results() -> None:
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}},
        {"id": "functions.now:1", "type": "function", "function": {"name": "now", "arguments": ""}},
    ]
    image = {"type": "image_url", "image_url": {"url": "https://example.com/map.png"}}
    assert turns(
        USER,
        {"role": "assistant", "content": "Let me see.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": "5 degrees"},
        {
            "role": "tool",
            "tool_call_id": "functions.now:1",
            "name": "now",
            "content": [{"type": "text", "text": "12:00"}, image],
        },
        {"role": "user", "content": "And?"},
    ) == [
        HI,
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Oslo"}},
                {"type": "tool_use", "id": "functions_now_1", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "5 degrees"},
                {
                    "type": "tool_result",
                    "tool_use_id": "functions_now_1",
                    "content": [
                        {"type": "text", "text": "12:00"},
                        {"type": "image", "source": {"type": "url", "url": "https://example.com/map.png"}},
                    ],
                },
                {"type": "text", "text": "And?"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("message", "content"),
    [
        ({"content": "Yes"}, [{"type": "text", "text": "Yes"}]),
        ({"content": [{"type": "text", "text": "Yes"}]}, [{"type": "text", "text": "Yes"}]),
        ({"content": [{"type": "refusal", "refusal": "No"}]}, [{"type": "text", "text": "No"}]),
        ({"content": None, "refusal": "No"}, [{"type": "text", "text": "No"}]),
        ({"content": "Yes", "reasoning_content": "Hm", "annotations": []}, [{"type": "text", "text": "Yes"}]),
        (
            {"content": "", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
            [{"type": "tool_use", "id": "1", "name": "f", "input": {}}],
        ),
    ],
)
def test_assistant_messages(message: dict[str, Any], content: list[Any]) -> None:
    assert turns(USER, {"role": "assistant", **message}, USER)[1] == {"role": "assistant", "content": content}


def test_a_last_assistant_message_stays_last_as_a_prefill() -> None:
    assert turns(USER, {"role": "assistant", "content": "The answer is ("})[-1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "The answer is ("}],
    }


def test_messages_without_content_are_left_out_and_neighbours_share_a_turn() -> None:
    nothing: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": []}
    assert turns(USER, nothing, {"role": "user", "content": "You?"}) == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "You?"}]}
    ]


@pytest.mark.parametrize(
    ("hint", "control"),
    [
        ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, {"type": "ephemeral", "ttl": "1h"}),
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, {"type": "ephemeral"}),
    ],
)
def test_cache_breakpoints_are_kept(hint: dict[str, Any], control: dict[str, Any]) -> None:
    part = {"type": "text", "text": "Long", **hint}
    expected = {"type": "text", "text": "Long", "cache_control": control}
    result = translate(messages=[{"role": "system", "content": [part]}, {"role": "user", "content": [part]}])
    assert result["system"] == [expected]
    assert result["messages"] == [{"role": "user", "content": [expected]}]


def test_the_callers_body_is_not_changed() -> None:
    body = {"model": "m", "messages": [USER, USER], "tools": [WEATHER], "reasoning_effort": "low", "stop": ["a"]}
    before = copy.deepcopy(body)
    to_anthropic_request(body, "claude")
    assert body == before
