"""Messages requests as chat completion requests: what corresponds to what, and what is refused."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import msgspec
import pytest

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.anthropic_to_openai import to_openai_request

USER = {"role": "user", "content": "Hi"}
BASE: dict[str, Any] = {"model": "gpt", "messages": [USER], "max_completion_tokens": 100}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Current weather", "input_schema": SCHEMA}
WEATHER_TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": SCHEMA, "description": "Current weather"},
}
CACHE = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}
LONG_ID = hashlib.sha256(b"x" * 50).hexdigest()[:40]
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}


def translate(**fields: Any) -> dict[str, Any]:
    return to_openai_request({"model": "openai/gpt", "max_tokens": 100, "messages": [USER], **fields}, "gpt")


def messages(*turns: Any) -> list[Any]:
    result: list[Any] = translate(messages=list(turns))["messages"]
    return result


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        ({"stream": False}, {}),
        ({"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2, "top_p": 0.9}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ["a", "b"]}),
        ({"stop_sequences": []}, {}),
        ({"metadata": {"user_id": "u-1"}}, {"user": "u-1"}),
        ({"metadata": {"user_id": None}}, {}),
        ({"metadata": {}}, {}),
        ({"service_tier": "auto"}, {}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, {}),
        ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}),
        ({"output_config": {"effort": "medium"}}, {"reasoning_effort": "medium"}),
        ({"output_config": {"effort": "max"}, "thinking": {"type": "adaptive"}}, {"reasoning_effort": "max"}),
        ({"output_config": {}}, {}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "output", "schema": SCHEMA, "strict": True},
                }
            },
        ),
        ({"cache_control": {"type": "ephemeral"}, "speed": "standard", "top_k": None, "mcp_servers": None}, {}),
        ({"tools": [], "tool_choice": {"type": "auto"}}, {}),
    ],
)
def test_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert translate(**fields) == {**BASE, **expected}


def test_a_long_user_id_is_hashed_to_what_openai_takes() -> None:
    first, second = (translate(metadata={"user_id": letter * 65})["user"] for letter in "ab")
    assert len(first) == len(second) == 64
    assert first != second


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"stop_sequences": list("abcde")}, "stop_sequences"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, "thinking"),
        ({"thinking": {"type": "adaptive", "depth": 3}}, "thinking.depth"),
        ({"output_config": {"effort": "low", "task_budget": {}}}, "output_config.task_budget"),
        ({"metadata": {"user_id": "u", "team": "a"}}, "metadata.team"),
        ({"mcp_servers": []}, "mcp_servers"),
        ({"container": "c"}, "container"),
        ({"context_management": {"edits": []}}, "context_management"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"speed": "fast"}, "speed"),
        ({"whatever": 1}, "whatever"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"tools": [{**WEATHER, "input_examples": [{}]}]}, "tools[0].input_examples"),
        ({"tools": [{**WEATHER, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [{**WEATHER, "allowed_callers": ["code_execution_20260120"]}]}, "tools[0].allowed_callers"),
        ({"messages": [USER, assistant(text("The answer is ("))]}, "messages[1]"),
        ({"messages": [{**USER, "effort": "low"}]}, "messages[0].effort"),
        ({"messages": [user({"type": "search_result", "source": "x"})]}, "messages[0].content[0].type"),
        (
            {"messages": [user({"type": "image", "source": {"type": "file", "file_id": "f"}})]},
            "messages[0].content[0].source.type",
        ),
        (
            {"messages": [user({"type": "image", "source": {**PNG, "media_type": "image/tiff"}})]},
            "messages[0].content[0].source.media_type",
        ),
        (
            {"messages": [user({"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}})]},
            "messages[0].content[0].source.type",
        ),
        (
            {"messages": [user({"type": "document", "source": {**PDF, "media_type": "text/html"}})]},
            "messages[0].content[0].source.media_type",
        ),
        (
            {"messages": [user({"type": "document", "source": PDF, "context": "Read closely"})]},
            "messages[0].content[0].context",
        ),
        (
            {"messages": [user({"type": "document", "source": PDF, "citations": {"enabled": True}})]},
            "messages[0].content[0].citations.enabled",
        ),
        (
            {"messages": [assistant({"type": "server_tool_use", "id": "s"}), USER]},
            "messages[0].content[0].type",
        ),
        (
            {
                "messages": [
                    assistant({"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "code"}}),
                    USER,
                ]
            },
            "messages[0].content[0].caller.type",
        ),
        ({"system": [{"type": "image", "source": PNG}]}, "system[0].type"),
    ],
)
def test_what_has_no_equivalent_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [5]}, "messages[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [USER, USER, {"role": "user", "content": 5}]}, "messages[2].content"),
        ({"messages": [user()]}, "messages"),
        ({"messages": [user({"type": "text", "text": None})]}, "messages[0].content[0].text"),
        ({"messages": [user({"type": "image", "source": "x"})]}, "messages[0].content[0].source"),
        ({"messages": [user({"type": "tool_result"})]}, "messages[0].content[0].tool_use_id"),
        (
            {"messages": [user({"type": "tool_result", "tool_use_id": "t", "is_error": "yes"})]},
            "messages[0].content[0].is_error",
        ),
        (
            {"messages": [assistant({"type": "tool_use", "id": "t", "name": "f", "input": "{}"}), USER]},
            "messages[0].content[0].input",
        ),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": "a"}, "stop_sequences"),
        ({"system": 5}, "system"),
        ({"metadata": "u"}, "metadata"),
        ({"service_tier": "fast"}, "service_tier"),
        ({"output_config": {"effort": "minimal"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "text"}}}, "output_config.format.type"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tools": [WEATHER], "tool_choice": "auto"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool", "name": "get_weather"}}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ],
)
def test_what_is_malformed_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        translate(**fields)
    assert caught.value.param == param
    assert not isinstance(caught.value, Untranslatable)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {}),
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "tool", "name": "get_weather"},
            {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        ),
        ({"type": "auto", "disable_parallel_tool_use": False}, {"tool_choice": "auto"}),
        (
            {"type": "any", "disable_parallel_tool_use": True},
            {"tool_choice": "required", "parallel_tool_calls": False},
        ),
    ],
)
def test_tool_choice(choice: Any, expected: dict[str, Any]) -> None:
    assert translate(tools=[WEATHER], tool_choice=choice) == {**BASE, "tools": [WEATHER_TOOL], **expected}


@pytest.mark.parametrize(
    ("tool", "function"),
    [
        ({"name": "f", "input_schema": {}}, {"name": "f", "parameters": {}}),
        (
            {"type": "custom", "name": "f", "input_schema": {}, "strict": True, "eager_input_streaming": True, **CACHE},
            {"name": "f", "parameters": {}, "strict": True},
        ),
        ({"name": "f", "input_schema": {}, "allowed_callers": ["direct"]}, {"name": "f", "parameters": {}}),
    ],
)
def test_tools(tool: dict[str, Any], function: dict[str, Any]) -> None:
    assert translate(tools=[tool])["tools"] == [{"type": "function", "function": function}]


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("Be brief.", [{"role": "system", "content": "Be brief."}]),
        ([{**text("One"), **CACHE}, text("Two")], [{"role": "system", "content": "One\nTwo"}]),
        ("", []),
        ([], []),
        (None, []),
    ],
)
def test_the_system_prompt(system: Any, expected: list[Any]) -> None:
    assert translate(system=system)["messages"] == [*expected, USER]


def test_a_system_message_between_the_turns_stays_there() -> None:
    turns = [USER, {"role": "system", "content": [text("Now in French.")]}, USER]
    assert messages(*turns) == [USER, {"role": "system", "content": "Now in French."}, USER]


@pytest.mark.parametrize(
    ("blocks", "content"),
    [
        ([text("Hi")], "Hi"),
        ([{**text("Hi"), **CACHE}], "Hi"),
        ([text("a"), text("b")], [text("a"), text("b")]),
        (
            [text("See"), {"type": "image", "source": PNG, **CACHE}],
            [text("See"), {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}}],
        ),
        (
            [{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}],
            [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}],
        ),
        (
            [{"type": "document", "source": PDF, "title": "a.pdf", "citations": {"enabled": False}}],
            [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}],
        ),
        (
            [{"type": "document", "source": PDF}],
            [
                {
                    "type": "file",
                    "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                }
            ],
        ),
        (
            [
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "Words"},
                    "title": "Notes",
                    "context": "From Ada",
                }
            ],
            "Notes\nFrom Ada\nWords",
        ),
    ],
)
def test_user_content(blocks: list[Any], content: Any) -> None:
    assert messages(user(*blocks)) == [{"role": "user", "content": content}]


def test_calls_results_errors_and_images_in_results() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://example.com/map.png"}}
    assert messages(
        USER,
        assistant(
            {"type": "thinking", "thinking": "Hm", "signature": "x"},
            {"type": "redacted_thinking", "data": "x"},
            text("Let me "),
            text("see."),
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Zürich"}, **CACHE},
            {"type": "tool_use", "id": "toolu_2", "name": "map", "input": {}, "caller": {"type": "direct"}},
            {"type": "tool_use", "id": "x" * 50, "name": "now", "input": {}},
        ),
        user(
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "5 degrees", "is_error": False},
            {"type": "tool_result", "tool_use_id": "toolu_2", "content": [text("Here:"), image], **CACHE},
            {"type": "tool_result", "tool_use_id": "x" * 50, "content": "no clock", "is_error": True},
            text("And?"),
        ),
    ) == [
        USER,
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Zürich"}'},
                },
                {"id": "toolu_2", "type": "function", "function": {"name": "map", "arguments": "{}"}},
                {"id": LONG_ID, "type": "function", "function": {"name": "now", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "toolu_1", "content": "5 degrees"},
        {"role": "tool", "tool_call_id": "toolu_2", "content": "Here:"},
        {"role": "tool", "tool_call_id": LONG_ID, "content": "Error: no clock"},
        {
            "role": "user",
            "content": [
                text("Returned by tool call toolu_2:"),
                {"type": "image_url", "image_url": {"url": "https://example.com/map.png"}},
                text("And?"),
            ],
        },
    ]


@pytest.mark.parametrize(
    ("fields", "content"),
    [({}, ""), ({"content": []}, ""), ({"is_error": True}, "Error"), ({"content": [text("a"), text("b")]}, "a\nb")],
)
def test_results_without_much(fields: dict[str, Any], content: str) -> None:
    assert messages(user({"type": "tool_result", "tool_use_id": "t", **fields})) == [
        {"role": "tool", "tool_call_id": "t", "content": content}
    ]


def test_a_turn_of_thinking_alone_is_left_out() -> None:
    assert messages(USER, assistant({"type": "thinking", "thinking": "Hm", "signature": "x"}), USER) == [USER, USER]


def test_a_call_without_text_has_no_content() -> None:
    turns = [assistant({"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1]}}), USER]
    call = {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a":[1]}'}}
    assert messages(*turns)[0] == {"role": "assistant", "content": None, "tool_calls": [call]}


def test_the_callers_body_is_not_changed_and_the_result_is_json() -> None:
    body = {"model": "m", "max_tokens": 5, "messages": [user(text("a"), text("b"))], "tools": [{**WEATHER, **CACHE}]}
    before = copy.deepcopy(body)
    assert msgspec.json.encode(to_openai_request(body, "gpt"))
    assert body == before
