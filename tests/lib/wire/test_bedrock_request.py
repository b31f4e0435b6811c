"""Messages requests as arguments of Converse. What is accepted is checked against boto3's own model of the API."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.bedrock import to_converse

USER = {"role": "user", "content": "Hi"}
HI = {"role": "user", "content": [{"text": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "description": "Current weather", "input_schema": SCHEMA}
SPEC = {"toolSpec": {"name": "get_weather", "description": "Current weather", "inputSchema": {"json": SCHEMA}}}
CACHE = {"cache_control": {"type": "ephemeral"}}
POINT = {"cachePoint": {"type": "default"}}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}


@cache
def converse_shape() -> Any:
    return botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape


def translate(**fields: Any) -> dict[str, Any]:
    """Translate, and have boto3's own validator look at the result."""
    body = {"model": "bedrock/x", "max_tokens": 100, "messages": [USER], "stream": True, **fields}
    before = copy.deepcopy(body)
    result = to_converse(body)
    assert body == before
    report = ParamValidator().validate({"modelId": "anthropic.claude", **result}, converse_shape())
    assert not report.has_errors(), report.generate_report()
    return result


def content(*blocks: Any, role: str = "user") -> list[Any]:
    (message,) = translate(messages=[{"role": role, "content": list(blocks)}])["messages"]
    assert message["role"] == role
    result: list[Any] = message["content"]
    return result


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


BASE: dict[str, Any] = {"messages": [HI], "inferenceConfig": {"maxTokens": 100}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        (
            {"temperature": 0.5, "top_p": 0.9, "stop_sequences": ["a"]},
            {"inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "topP": 0.9, "stopSequences": ["a"]}},
        ),
        ({"top_k": 5}, {"additionalModelRequestFields": {"top_k": 5}}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1024}, "anthropic_beta": ["b"]},
            {
                "additionalModelRequestFields": {
                    "thinking": {"type": "enabled", "budget_tokens": 1024},
                    "anthropic_beta": ["b"],
                }
            },
        ),
        ({"system": "Be brief."}, {"system": [{"text": "Be brief."}]}),
        (
            {"system": [text("Long", cache_control={"type": "ephemeral", "ttl": "1h"}), text("Short")]},
            {"system": [{"text": "Long"}, {"cachePoint": {"type": "default", "ttl": "1h"}}, {"text": "Short"}]},
        ),
        ({"system": ""}, {}),
        ({"service_tier": "auto", "speed": "standard", "metadata": {"user_id": "u"}, "anthropic_version": "x"}, {}),
        ({"service_tier": "standard_only"}, {"serviceTier": {"type": "default"}}),
        (
            {"cache_control": {"type": "ephemeral"}},
            {"messages": [{"role": "user", "content": [{"text": "Hi"}, POINT]}]},
        ),
        ({"output_config": {"effort": "low"}}, {"outputConfig": {"effort": "low"}}),
        ({"output_config": {}}, {}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            {
                "outputConfig": {
                    "textFormat": {
                        "type": "json_schema",
                        "structure": {"jsonSchema": {"name": "output", "schema": '{"type":"object"}'}},
                    }
                }
            },
        ),
    ],
)
def test_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert translate(**fields) == {**BASE, **expected}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, {"toolConfig": {"tools": [SPEC]}}),
        ({"type": "auto"}, {"toolConfig": {"tools": [SPEC], "toolChoice": {"auto": {}}}}),
        ({"type": "any"}, {"toolConfig": {"tools": [SPEC], "toolChoice": {"any": {}}}}),
        (
            {"type": "tool", "name": "get_weather"},
            {"toolConfig": {"tools": [SPEC], "toolChoice": {"tool": {"name": "get_weather"}}}},
        ),
        ({"type": "none"}, {}),
        (
            {"type": "any", "disable_parallel_tool_use": True},
            {
                "toolConfig": {"tools": [SPEC]},
                "additionalModelRequestFields": {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            },
        ),
        (
            {"type": "auto", "disable_parallel_tool_use": False},
            {"toolConfig": {"tools": [SPEC], "toolChoice": {"auto": {}}}},
        ),
    ],
)
def test_tool_choice(choice: Any, expected: dict[str, Any]) -> None:
    assert translate(tools=[WEATHER], tool_choice=choice) == {**BASE, **expected}


def test_tool_choice_none_keeps_the_tools_that_the_history_needs() -> None:
    result = translate(
        tools=[WEATHER],
        tool_choice={"type": "none"},
        messages=[USER, {"role": "assistant", "content": [CALL]}, USER],
    )
    assert result["toolConfig"] == {"tools": [SPEC]}
    assert result["additionalModelRequestFields"] == {"tool_choice": {"type": "none"}}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ({"name": "f", "input_schema": {}}, [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}]),
        (
            {"type": "custom", "name": "f", "description": "", "input_schema": {}, "strict": True, **CACHE},
            [{"toolSpec": {"name": "f", "inputSchema": {"json": {}}, "strict": True}}, POINT],
        ),
    ],
)
def test_tools(tool: dict[str, Any], expected: list[Any]) -> None:
    assert translate(tools=[tool])["toolConfig"]["tools"] == expected


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([text("a", **CACHE), text("b"), text("")], [{"text": "a"}, POINT, {"text": "b"}]),
        (
            [{"type": "image", "source": PNG}],
            [{"image": {"format": "png", "source": {"bytes": b"\x89PNG\r"[:5]}}}],
        ),
        (
            [{"type": "image", "source": {**PNG, "media_type": "image/jpg"}}],
            [{"image": {"format": "jpeg", "source": {"bytes": b"\x89PNG\r"[:5]}}}],
        ),
        (
            [{"type": "document", "source": PDF, "title": "Q3: report (final)_v2.pdf", "context": "Read", **CACHE}],
            [
                {
                    "document": {
                        "name": "Q3 report (final) v2 pdf",
                        "format": "pdf",
                        "source": {"bytes": b"%PDF-"},
                        "context": "Read",
                    }
                },
                POINT,
            ],
        ),
        (
            [
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "Words"},
                    "title": "報告",
                    "citations": {"enabled": False},
                }
            ],
            [
                {
                    "document": {
                        "name": "document messages[0] content[0]",
                        "format": "txt",
                        "source": {"text": "Words"},
                    }
                }
            ],
        ),
        (
            [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "5 degrees", **CACHE},
                {
                    "type": "tool_result",
                    "tool_use_id": "functions.now:1",
                    "content": [text("x", **CACHE), {"type": "image", "source": PNG}],
                    "is_error": True,
                },
                {"type": "tool_result", "tool_use_id": "toolu_3"},
            ],
            [
                {"toolResult": {"toolUseId": "toolu_1", "content": [{"text": "5 degrees"}]}},
                POINT,
                {
                    "toolResult": {
                        "toolUseId": "functions_now_1",
                        "content": [
                            {"text": "x"},
                            {"image": {"format": "png", "source": {"bytes": b"\x89PNG\r"[:5]}}},
                        ],
                        "status": "error",
                    }
                },
                {"toolResult": {"toolUseId": "toolu_3", "content": []}},
            ],
        ),
    ],
)
def test_user_content(blocks: list[Any], expected: list[Any]) -> None:
    assert content(*blocks) == expected


def test_assistant_content() -> None:
    assert content(
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "thinking", "thinking": "Hm", "signature": ""},
        {"type": "redacted_thinking", "data": "AQID"},
        text("Let me see."),
        {**CALL, "caller": {"type": "direct"}},
        role="assistant",
    ) == [
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
        {"reasoningContent": {"reasoningText": {"text": "Hm"}}},
        {"reasoningContent": {"redactedContent": b"\x01\x02\x03"}},
        {"text": "Let me see."},
        {"toolUse": {"toolUseId": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}},
    ]


def test_turns_without_content_are_left_out_and_system_turns_stay() -> None:
    turns = [USER, {"role": "assistant", "content": ""}, {"role": "system", "content": "In French."}, USER]
    assert translate(messages=turns)["messages"] == [HI, {"role": "system", "content": [{"text": "In French."}]}, HI]


def blocks_of(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        (
            blocks_of({"type": "image", "source": {"type": "url", "url": "https://x/a.png"}}),
            "messages[0].content[0].source.type",
        ),
        (
            blocks_of({"type": "image", "source": {**PNG, "media_type": "image/bmp"}}),
            "messages[0].content[0].source.media_type",
        ),
        (
            blocks_of({"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}}),
            "messages[0].content[0].source.type",
        ),
        (
            blocks_of({"type": "document", "source": {**PDF, "media_type": "text/html"}}),
            "messages[0].content[0].source.media_type",
        ),
        (
            blocks_of({"type": "document", "source": PDF, "citations": {"enabled": True}}),
            "messages[0].content[0].citations.enabled",
        ),
        (blocks_of({"type": "search_result"}), "messages[0].content[0].type"),
        ({"messages": [{**USER, "effort": "low"}]}, "messages[0].effort"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools[0].type"),
        ({"tools": [{**WEATHER, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [WEATHER], "tool_choice": {"type": "auto", "mode": 1}}, "tool_choice.mode"),
        ({"output_config": {"task_budget": {}}}, "output_config.task_budget"),
        ({"context_management": {}}, "context_management"),
        ({"speed": "fast"}, "speed"),
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
        ({"messages": [{"role": "user", "content": ""}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        (blocks_of({"type": "image", "source": {**PNG, "data": "%%"}}), "messages[0].content[0].source.data"),
        (blocks_of({"type": "document", "source": {**PDF, "data": "a"}}), "messages[0].content[0].source.data"),
        (blocks_of({"type": "redacted_thinking", "data": "%"}), "messages[0].content[0].data"),
        (blocks_of({**CALL, "input": []}), "messages[0].content[0].input"),
        (blocks_of(text("x", cache_control="yes")), "messages[0].content[0].cache_control"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 2}, "temperature"),
        ({"top_k": "5"}, "top_k"),
        ({"thinking": "on"}, "thinking"),
        ({"anthropic_beta": "b"}, "anthropic_beta"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"service_tier": "flex"}, "service_tier"),
    ],
)
def test_what_is_malformed_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        translate(**fields)
    assert caught.value.param == param
    assert not isinstance(caught.value, Untranslatable)
