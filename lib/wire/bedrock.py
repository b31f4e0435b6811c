"""A Messages request as the arguments of Bedrock's Converse: Anthropic's dialect on any Bedrock model.

Source: Amazon Bedrock API reference, "Converse", and the user guide's "Carry
out a conversation", "Prompt caching", "Structured output". What Converse has no
field for goes to the model as it is, in `additionalModelRequestFields`; a model
that does not know it says so.

The way back is in `lib.wire.bedrock_answer` and `lib.wire.bedrock_stream`.
"""

from __future__ import annotations

import msgspec

from lib.wire.anthropic_fields import check_tool, plain_tier, read_tool_choice
from lib.wire.bedrock_messages import cache_point, system_blocks, to_converse_messages, uses_tools
from lib.wire.hints import ANTHROPIC_NEUTRAL, BEDROCK_HINTS, left_over
from lib.wire.reader import Json, Reader

_TRANSLATED = frozenset(
    {
        "anthropic_beta",
        "cache_control",
        "max_tokens",
        "messages",
        "output_config",
        "service_tier",
        "stop_sequences",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
    }
)


def to_converse(body: Json) -> Json:
    """The arguments of boto3's `converse` and `converse_stream`, without `modelId`.

    Images and documents are decoded: boto3 wants bytes. Raises `Untranslatable`
    for what Converse cannot express and `BadRequest` for a wrong type; both
    name the path in `param`. `body` is not changed.
    """
    reader = Reader(body)
    left_over(body, _TRANSLATED, BEDROCK_HINTS, ANTHROPIC_NEUTRAL)
    messages = to_converse_messages(reader.objects("messages"))
    control = reader.maybe_object("cache_control")
    if control:
        messages[-1]["content"].append(cache_point(control))
    result: Json = {"messages": messages}
    more: Json = {}
    system = system_blocks(reader)
    if system:
        result["system"] = system
    _inference(reader, result)
    _tools(reader, result, more)
    _output_config(reader, result)
    if plain_tier(reader):
        result["serviceTier"] = {"type": "default"}
    _for_the_model(reader, more)
    if more:
        result["additionalModelRequestFields"] = more
    return result


def _inference(reader: Reader, result: Json) -> None:
    found = {
        "maxTokens": reader.maybe_count("max_tokens", least=1),
        "temperature": reader.maybe_number("temperature", 1),
        "topP": reader.maybe_number("top_p", 1),
        "stopSequences": reader.texts("stop_sequences") or None,
    }
    config = {key: value for key, value in found.items() if value is not None}
    if config:
        result["inferenceConfig"] = config


def _tools(reader: Reader, result: Json, more: Json) -> None:
    """Converse has no choice `none`, and no way to forbid parallel calls.

    Without earlier calls, no tools do as well as `none`. Else the choice goes
    to the model as it is, and only there: two places would contradict.
    """
    tools: list[Json] = []
    for tool in reader.objects("tools"):
        tools += _tool(tool)
    chosen = read_tool_choice(reader, bool(tools))
    forbidden = chosen is not None and chosen[0] == "none"
    if not tools or (forbidden and not uses_tools(result["messages"])):
        return
    result["toolConfig"] = {"tools": tools}
    if chosen is None:
        return
    kind, choice = chosen
    if kind == "none" or choice.maybe_flag("disable_parallel_tool_use"):
        more["tool_choice"] = choice.raw
    else:
        result["toolConfig"]["toolChoice"] = {kind: {"name": choice.name("name")} if kind == "tool" else {}}


def _tool(tool: Reader) -> list[Json]:
    check_tool(tool)
    spec: Json = {"name": tool.name("name"), "inputSchema": {"json": tool.object("input_schema").raw}}
    description = tool.maybe_text("description")
    if description:
        spec["description"] = description
    if tool.maybe_flag("strict"):
        spec["strict"] = True
    control = tool.maybe_object("cache_control")
    return [{"toolSpec": spec}, cache_point(control)] if control else [{"toolSpec": spec}]


def _output_config(reader: Reader, result: Json) -> None:
    config = reader.maybe_object("output_config")
    if config is None:
        return
    config.only({"effort", "format"})
    found: Json = {}
    effort = config.maybe_text("effort")
    if effort:
        found["effort"] = effort
    wanted = config.maybe_object("format")
    if wanted:
        wanted.only({"type", "schema"})
        wanted.choice("type", {"json_schema"})
        schema = msgspec.json.encode(wanted.object("schema").raw).decode()
        structure = {"jsonSchema": {"name": "output", "schema": schema}}
        found["textFormat"] = {"type": "json_schema", "structure": structure}
    if found:
        result["outputConfig"] = found


def _for_the_model(reader: Reader, more: Json) -> None:
    """What only Anthropic's models know."""
    top_k = reader.maybe_count("top_k")
    if top_k is not None:
        more["top_k"] = top_k
    thinking = reader.maybe_object("thinking")
    if thinking:
        more["thinking"] = thinking.raw
    betas = reader.texts("anthropic_beta")
    if betas:
        more["anthropic_beta"] = betas
