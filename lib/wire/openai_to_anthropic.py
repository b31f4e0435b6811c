"""A chat completion request as a Messages request: OpenAI clients on Anthropic models.

Sources: OpenAI API reference, "Create chat completion"; Anthropic API
reference, "Create a Message", "Effort", "Structured outputs" and "OpenAI SDK
compatibility" (whose table settles what corresponds to what). Two fields that
OpenAI does not document are taken, as Anthropic's own compatibility layer and
other vendors do: `top_k` and `thinking`, in Anthropic's form.
"""

from __future__ import annotations

from typing import Any

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.hints import OPENAI_HINTS, OPENAI_NEUTRAL, left_over
from lib.wire.openai_to_anthropic_messages import to_turns
from lib.wire.reader import Json, Reader, refuse

DEFAULT_MAX_TOKENS = 4096
"""What a request gets that names no limit: OpenAI lets the model decide, Anthropic requires a number."""

EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
"""Levels of effort that both vendors know by the same name."""

_TRANSLATED = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "service_tier",
        "stop",
        "stream",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
        "user",
    }
)


def to_anthropic_request(body: Json, model: str) -> Json:
    """Translate a chat completion request. `model` is the vendor's name of the model.

    Raises `Untranslatable` for a field without equivalent and `BadRequest` for
    a wrong type; both name the path in `param`. `body` is not changed.
    """
    reader = Reader(body)
    left_over(body, _TRANSLATED, OPENAI_HINTS, OPENAI_NEUTRAL)
    system, turns = to_turns(reader.objects("messages"))
    result: Json = {"model": model, "max_tokens": _max_tokens(reader), "messages": turns}
    if system:
        result["system"] = system
    if reader.maybe_flag("stream"):
        result["stream"] = True
    for part in (_sampling, _tools, _thinking, _output_format, _labels):
        _merge(result, part(reader))
    return result


def _merge(result: Json, more: Json) -> None:
    """Add fields; objects that are there already grow (`output_config` comes from two places)."""
    for key, value in more.items():
        result[key] = {**result[key], **value} if isinstance(value, dict) and key in result else value


def _max_tokens(reader: Reader) -> int:
    limits = [reader.maybe_count(key, least=1) for key in ("max_completion_tokens", "max_tokens")]
    return next((limit for limit in limits if limit is not None), DEFAULT_MAX_TOKENS)


def _sampling(reader: Reader) -> Json:
    found: Json = {
        "temperature": reader.maybe_number("temperature", 2),
        "top_p": reader.maybe_number("top_p", 1),
        "top_k": reader.maybe_count("top_k"),
        "stop_sequences": _stop(reader) or None,
    }
    if found["temperature"] is not None and found["temperature"] > 1:
        raise Untranslatable("temperature", "it must be from 0 to 1")
    return {key: value for key, value in found.items() if value is not None}


def _stop(reader: Reader) -> list[str]:
    stop = reader.raw.get("stop")
    return [stop] if isinstance(stop, str) else reader.texts("stop")


def _tools(reader: Reader) -> Json:
    tools = [_tool(tool) for tool in reader.objects("tools")]
    choice = _tool_choice(reader, bool(tools))
    parallel = reader.maybe_flag("parallel_tool_calls")
    if not tools:
        return {}
    if parallel is False and (choice or {}).get("type") != "none":
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return {"tools": tools, "tool_choice": choice} if choice else {"tools": tools}


def _tool(tool: Reader) -> Json:
    if tool.text("type") != "function":
        raise Untranslatable(tool.at("type"), "only functions can be tools")
    tool.only({"type", "function"})
    function = tool.object("function")
    function.only({"name", "description", "parameters", "strict"})
    schema = function.object("parameters").raw if function.has("parameters") else {"properties": {}}
    result: Json = {"name": function.name("name"), "input_schema": {"type": "object", **schema}}
    description = function.maybe_text("description")
    if description is not None:
        result["description"] = description
    if function.maybe_flag("strict"):
        result["strict"] = True
    return result


def _tool_choice(reader: Reader, any_tools: bool) -> Json | None:
    """The choice, None for the default. Without tools only the choices that ask for none make sense."""
    value = reader.raw.get("tool_choice")
    if value is None:
        return None
    if not any_tools and value not in ("none", "auto"):
        raise BadRequest("`tool_choice` needs `tools`.", param="tool_choice")
    if isinstance(value, str):
        named = {"auto": "auto", "none": "none", "required": "any"}.get(value)
        return {"type": named} if named else refuse("tool_choice", "`none`, `auto`, `required` or an object")
    choice = reader.object("tool_choice")
    if choice.text("type") != "function":
        raise Untranslatable("tool_choice.type", "only a function can be chosen by name")
    return {"type": "tool", "name": choice.object("function").name("name")}


def _thinking(reader: Reader) -> Json:
    """Effort has the same names on both sides; `none` is thinking switched off; `minimal` has no equivalent."""
    thinking = reader.maybe_object("thinking")
    result: Json = {"thinking": thinking.raw} if thinking else {}
    effort = reader.maybe_text("reasoning_effort")
    if effort is None:
        return result
    if effort in EFFORTS:
        return {**result, "output_config": {"effort": effort}}
    if effort != "none":
        raise Untranslatable("reasoning_effort", f"it must be none, {', '.join(sorted(EFFORTS))}")
    if thinking:
        raise BadRequest("`reasoning_effort` and `thinking` contradict each other.", param="reasoning_effort")
    return {"thinking": {"type": "disabled"}}


def _output_format(reader: Reader) -> Json:
    wanted = reader.maybe_object("response_format")
    kind = wanted.text("type") if wanted else "text"
    if wanted is None or kind == "text":
        return {}
    if kind != "json_schema":
        raise Untranslatable("response_format", "of its kinds only `text` and `json_schema` are")
    named = wanted.object("json_schema")
    named.only({"name", "description", "schema", "strict"})
    if not named.has("schema"):
        raise Untranslatable(named.at("schema"), "without a schema")
    schema: dict[str, Any] = named.object("schema").raw
    description = named.maybe_text("description")
    if description:
        schema = {"description": description, **schema}
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def _labels(reader: Reader) -> Json:
    """Who it is for and at what tier. `safety_identifier` replaces `user` at OpenAI."""
    result: Json = {}
    users = [reader.maybe_text(key) for key in ("safety_identifier", "user")]
    user = next(filter(None, users), None)
    if user:
        result["metadata"] = {"user_id": user}
    tier = reader.maybe_text("service_tier")
    if tier == "default":
        result["service_tier"] = "standard_only"
    elif tier not in (None, "auto"):
        raise Untranslatable("service_tier", "it must be `auto` or `default`")
    return result
