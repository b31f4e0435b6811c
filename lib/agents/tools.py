"""Tools as agents describe them, and calls as agents read them, from and to OpenAI's form.

Source: OpenAI API reference, "Function calling" and the object "Chat completion".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from lib.agents.fields import Parameter, Tool

UNREADABLE = "The model wrote arguments that are not a JSON object."
Json = dict[str, Any]


class ToolCall(NamedTuple):
    """One call as the model wrote it; `arguments` should be JSON text."""

    id: str | None
    name: str
    arguments: str


def described(tools: Sequence[Tool]) -> list[Json]:
    """Tools in OpenAI's form, with a whole JSON schema: some vendors refuse less."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": _schema(tool.parameters)},
        }
        for tool in tools
    ]


def shown(call: ToolCall) -> Json:
    """A call as the agent gets it: `{"id", "name", "arguments": [{"name", "value"}]}`.

    Arguments that are not an object become an `error`, with what the model wrote in `raw_arguments`.
    """
    entry: Json = {"id": call.id, "name": call.name}
    arguments = _object(call.arguments)
    if arguments is None:
        return entry | {"arguments": [], "error": UNREADABLE, "raw_arguments": call.arguments}
    return entry | {"arguments": [{"name": name, "value": value} for name, value in arguments.items()]}


def _schema(parameters: Sequence[Parameter]) -> Json:
    return {
        "type": "object",
        "properties": {each.name: _property(each) for each in parameters},
        "required": [each.name for each in parameters if each.required],
    }


def _property(parameter: Parameter) -> Json:
    schema: Json = {"type": parameter.type, "description": parameter.description}
    return schema | {"items": {}} if parameter.type == "array" else schema


def _object(text: str) -> Json | None:
    """The object that a JSON text holds; an empty text and null hold an empty one. None for anything else."""
    if not text.strip():
        return {}
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return {} if value is None else value if isinstance(value, dict) else None
