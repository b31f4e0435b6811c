"""A Messages request as a chat completion request: Anthropic clients on OpenAI-compatible models.

Sources: Anthropic API reference, "Create a Message", "Effort", "Structured
outputs"; OpenAI API reference, "Create chat completion".
"""

from __future__ import annotations

import hashlib

from lib.base.errors import Untranslatable
from lib.wire.anthropic_fields import check_tool, plain_tier, read_tool_choice
from lib.wire.anthropic_to_openai_messages import system_message, to_messages
from lib.wire.hints import ANTHROPIC_HINTS, ANTHROPIC_NEUTRAL, left_over
from lib.wire.openai_to_anthropic import EFFORTS
from lib.wire.reader import Json, Reader

LONGEST_USER = 64
"""What OpenAI takes as `user`, in characters; a longer identifier is hashed, as OpenAI advises for any."""

MOST_STOPS = 4
"""How many stop sequences OpenAI takes."""

_TRANSLATED = frozenset(
    {
        "max_tokens",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_p",
    }
)


def to_openai_request(body: Json, model: str) -> Json:
    """Translate a Messages request. `model` is the vendor's name of the model.

    The limit becomes `max_completion_tokens`, the field that OpenAI documents
    today. A stream asks for its usage, which a Messages stream always has.
    Raises `Untranslatable` for a field without equivalent and `BadRequest` for
    a wrong type; both name the path in `param`. `body` is not changed.
    """
    reader = Reader(body)
    left_over(body, _TRANSLATED, ANTHROPIC_HINTS, ANTHROPIC_NEUTRAL)
    result: Json = {"model": model, "messages": system_message(reader) + to_messages(reader.objects("messages"))}
    limit = reader.maybe_count("max_tokens", least=1)
    if limit is not None:
        result["max_completion_tokens"] = limit
    if reader.maybe_flag("stream"):
        result |= {"stream": True, "stream_options": {"include_usage": True}}
    for part in (_sampling, _tools, _thinking, _output_config, _labels):
        result |= part(reader)
    return result


def _sampling(reader: Reader) -> Json:
    stops = reader.texts("stop_sequences")
    if len(stops) > MOST_STOPS:
        raise Untranslatable("stop_sequences", f"it takes at most {MOST_STOPS}")
    found = {
        "temperature": reader.maybe_number("temperature", 1),
        "top_p": reader.maybe_number("top_p", 1),
        "stop": stops or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _tools(reader: Reader) -> Json:
    tools = [_tool(tool) for tool in reader.objects("tools")]
    chosen = read_tool_choice(reader, bool(tools))
    result: Json = {"tools": tools} if tools else {}
    if not tools or chosen is None:
        return result
    kind, choice = chosen
    named = {"auto": "auto", "any": "required", "none": "none"}.get(kind)
    result["tool_choice"] = named or {"type": "function", "function": {"name": choice.name("name")}}
    if choice.maybe_flag("disable_parallel_tool_use"):
        result["parallel_tool_calls"] = False
    return result


def _tool(tool: Reader) -> Json:
    check_tool(tool)
    function: Json = {"name": tool.name("name"), "parameters": tool.object("input_schema").raw}
    description = tool.maybe_text("description")
    if description is not None:
        function["description"] = description
    if tool.maybe_flag("strict"):
        function["strict"] = True
    return {"type": "function", "function": function}


def _thinking(reader: Reader) -> Json:
    """Thinking off is effort `none`; adaptive is how OpenAI's models think anyway; a budget has no equivalent."""
    thinking = reader.maybe_object("thinking")
    if thinking is None:
        return {}
    kind = thinking.text("type")
    if kind not in ("disabled", "adaptive"):
        raise Untranslatable("thinking", "use `output_config.effort`")
    thinking.only({"type", "display"})
    return {"reasoning_effort": "none"} if kind == "disabled" else {}


def _output_config(reader: Reader) -> Json:
    config = reader.maybe_object("output_config")
    if config is None:
        return {}
    config.only({"effort", "format"})
    result: Json = {}
    if config.has("effort"):
        result["reasoning_effort"] = config.choice("effort", EFFORTS)
    wanted = config.maybe_object("format")
    if wanted:
        wanted.only({"type", "schema"})
        wanted.choice("type", {"json_schema"})
        named = {"name": "output", "schema": wanted.object("schema").raw, "strict": True}
        result["response_format"] = {"type": "json_schema", "json_schema": named}
    return result


def _labels(reader: Reader) -> Json:
    result: Json = {}
    metadata = reader.maybe_object("metadata")
    if metadata:
        metadata.only({"user_id"})
        user = metadata.maybe_text("user_id")
        if user:
            result["user"] = user if len(user) <= LONGEST_USER else hashlib.sha256(user.encode()).hexdigest()
    if plain_tier(reader):
        result["service_tier"] = "default"
    return result
