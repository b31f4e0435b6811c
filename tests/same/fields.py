"""Every field that the SDKs' own types know, with a value that asks for something. A new field has no sample yet: then
the suite fails, and somebody decides what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anthropic import types as ant
from anthropic.types import message_create_params
from openai.types import chat as oai
from openai.types.chat import (
    chat_completion_content_part_image_param,
    chat_completion_content_part_param,
    completion_create_params,
)
from openai.types.shared_params import FunctionDefinition

from tests.same.asked import IMAGE, SCHEMA

Json = dict[str, Any]
PDF = "JVBERi0xLjQKJSVFT0YK"
FUNCTION: Json = {"name": "f", "parameters": {"type": "object", "properties": {}}}
CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
EPHEMERAL: Json = {"type": "ephemeral"}


@dataclass(frozen=True)
class Kind:
    """One type of the SDK. `base` has what the type requires, `within` puts such an object into a request's body,
    `samples` has a value for every other field."""

    name: str
    type: Any
    base: Json
    within: Callable[[Json], Json]
    samples: Json

    @property
    def fields(self) -> set[str]:
        """The fields that are not in `base`."""
        return set(self.type.__annotations__) - set(self.base)


def saying(*parts: Json) -> Json:
    """A question of these parts of content."""
    return {"messages": [{"role": "user", "content": list(parts)}]}


def after(turn: Json, answer: Json | None = None) -> Json:
    """A turn of the assistant in the middle of a conversation."""
    return {"messages": [{"role": "user", "content": "a"}, turn, answer or {"role": "user", "content": "b"}]}


OPENAI = (
    Kind(
        "body",
        completion_create_params.CompletionCreateParamsStreaming,
        {
            "messages": [{"role": "user", "content": "a"}],
            "model": "",
            "stream": True,
            "tools": [{"type": "function", "function": FUNCTION}],
        },
        lambda body: {key: value for key, value in body.items() if key != "model"},
        {
            "audio": {"voice": "alloy", "format": "wav"},
            "frequency_penalty": 0.5,
            "function_call": {"name": "f"},
            "functions": [FUNCTION],
            "logit_bias": {"50256": -100},
            "logprobs": True,
            "max_completion_tokens": 7,
            "max_tokens": 7,
            "metadata": {"a": "b"},
            "modalities": ["text", "audio"],
            "moderation": {"model": "omni-moderation-latest"},
            "n": 2,
            "parallel_tool_calls": False,
            "prediction": {"type": "content", "content": "a"},
            "presence_penalty": 0.5,
            "prompt_cache_key": "k",
            "prompt_cache_options": {"mode": "explicit"},
            "prompt_cache_retention": "24h",
            "reasoning_effort": "high",
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
            "safety_identifier": "user-1",
            "seed": 7,
            "service_tier": "default",
            "stop": "END",
            "store": True,
            "stream_options": {"include_obfuscation": False},
            "temperature": 0.5,
            "tool_choice": "required",
            "top_logprobs": 2,
            "top_p": 0.5,
            "user": "user-1",
            "verbosity": "high",
            "web_search_options": {},
        },
    ),
    Kind(
        "system",
        oai.ChatCompletionSystemMessageParam,
        {"role": "system", "content": "s"},
        lambda message: {"messages": [message, {"role": "user", "content": "a"}]},
        {"name": "zq"},
    ),
    Kind(
        "user",
        oai.ChatCompletionUserMessageParam,
        {"role": "user", "content": "a"},
        lambda message: {"messages": [message]},
        {"name": "zq"},
    ),
    Kind(
        "assistant",
        oai.ChatCompletionAssistantMessageParam,
        {"role": "assistant", "content": "c"},
        after,
        {
            "audio": {"id": "a"},
            "function_call": {"name": "f", "arguments": "{}"},
            "name": "zq",
            "refusal": "no",
            "tool_calls": [CALL],
        },
    ),
    Kind(
        "text part",
        oai.ChatCompletionContentPartTextParam,
        {"type": "text", "text": "a"},
        saying,
        {"prompt_cache_breakpoint": {"mode": "explicit"}},
    ),
    Kind(
        "image part",
        oai.ChatCompletionContentPartImageParam,
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{IMAGE}"}},
        saying,
        {"prompt_cache_breakpoint": {"mode": "explicit"}},
    ),
    Kind(
        "image_url",
        chat_completion_content_part_image_param.ImageURL,
        {"url": f"data:image/png;base64,{IMAGE}"},
        lambda image: saying({"type": "image_url", "image_url": image}),
        {"detail": "low"},
    ),
    Kind(
        "file",
        chat_completion_content_part_param.FileFile,
        {"file_data": f"data:application/pdf;base64,{PDF}"},
        lambda file: saying({"type": "file", "file": file}),
        {"file_id": "file-1", "filename": "a.pdf"},
    ),
    Kind(
        "function",
        FunctionDefinition,
        {"name": "f"},
        lambda function: {"tools": [{"type": "function", "function": function}]},
        {"description": "d", "parameters": SCHEMA, "strict": True},
    ),
)

ANTHROPIC = (
    Kind(
        "body",
        message_create_params.MessageCreateParamsStreaming,
        {"messages": [{"role": "user", "content": "a"}], "model": "", "stream": True, "max_tokens": 64},
        lambda body: {key: value for key, value in body.items() if key != "model"},
        {
            "cache_control": EPHEMERAL,
            "container": "c_1",
            "diagnostics": {"previous_message_id": "msg_1"},
            "inference_geo": "eu",
            "metadata": {"user_id": "user-1"},
            "output_config": {"effort": "high"},
            "service_tier": "standard_only",
            "speed": "fast",
            "stop_sequences": ["END"],
            "system": "s",
            "thinking": {"type": "disabled"},
            "tool_choice": {"type": "any"},
            "tools": [{"name": "f", "input_schema": SCHEMA}],
            "user_profile_id": "u_1",
            "workspace_id": "w_1",
        },
    ),
    Kind(
        "text",
        ant.TextBlockParam,
        {"type": "text", "text": "a"},
        saying,
        {"cache_control": EPHEMERAL, "citations": [{"type": "char_location", "cited_text": "a"}]},
    ),
    Kind(
        "image",
        ant.ImageBlockParam,
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}},
        saying,
        {"cache_control": EPHEMERAL, "transformations": [{"type": "zq"}]},
    ),
    Kind(
        "document",
        ant.DocumentBlockParam,
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}},
        lambda block: saying(block, {"type": "text", "text": "b"}),
        {"cache_control": EPHEMERAL, "citations": {"enabled": True}, "context": "c", "title": "t"},
    ),
    Kind(
        "tool_use",
        ant.ToolUseBlockParam,
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {}},
        lambda block: after(
            {"role": "assistant", "content": [block]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "r"}]},
        ),
        {
            "cache_control": EPHEMERAL,
            "caller": {"type": "code_execution_20250825", "tool_id": "t"},
            "toolset_name": "zq",
        },
    ),
    Kind(
        "tool_result",
        ant.ToolResultBlockParam,
        {"type": "tool_result", "tool_use_id": "call_1"},
        lambda block: after(
            {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "f", "input": {}}]},
            {"role": "user", "content": [block]},
        ),
        {"cache_control": EPHEMERAL, "content": "r", "is_error": True, "toolset_name": "zq"},
    ),
    Kind(
        "tool",
        ant.ToolParam,
        {"name": "f", "input_schema": SCHEMA},
        lambda tool: {"tools": [tool]},
        {
            "allowed_callers": ["code_execution_20250825"],
            "cache_control": EPHEMERAL,
            "defer_loading": True,
            "description": "d",
            "eager_input_streaming": True,
            "input_examples": [{"harbour": "Romanshorn"}],
            "strict": True,
            "type": "custom",
        },
    ),
    Kind(
        "output_config",
        ant.OutputConfigParam,
        {},
        lambda config: {"output_config": config},
        {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
    ),
)
