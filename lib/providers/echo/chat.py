"""The echo's chat completions. Source: OpenAI API reference, "Chat Completions" and its "Streaming"."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.providers.echo.asked import Asked, Streamed, Whole, decode, whole
from lib.providers.echo.chunks import Choices, Chunks, StreamOptions, head, shown
from lib.providers.echo.errors import Refusal
from lib.providers.echo.talk import Message, Reply, Talk, Tool, answer
from lib.providers.echo.text import Part, Piece, pieces, whole_text
from lib.wire import to_openai


class _Function(msgspec.Struct):
    name: str
    parameters: Any = None


class _Tool(msgspec.Struct):
    type: str = "function"
    function: _Function | None = None


class _Request(msgspec.Struct):
    messages: list[Message]
    tools: list[_Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    stream_options: StreamOptions | None = None
    n: Choices | None = None

    def talk(self) -> Talk:
        functions = [tool.function for tool in self.tools or () if tool.function is not None]
        return Talk(
            messages=self.messages,
            tools=[Tool(function.name, function.parameters) for function in functions],
            forced=forced(self.tool_choice, "function"),
            schema=schema_of(self.response_format, "json_schema"),
        )


def forced(choice: str | dict[str, Any] | None, inner: str | None) -> str | None:
    """The tool that an OpenAI `tool_choice` asks for: a name, "" for any, None for none.

    `inner` is the object that holds the name, None where the name is beside the type.
    """
    if not isinstance(choice, dict):
        return "" if choice == "required" else None
    if choice.get("type") == "function":
        named = choice.get(inner) if inner else choice
        name = named.get("name") if isinstance(named, dict) else None
        if isinstance(name, str) and name:
            return name
    raise Refusal("The echo takes `tool_choice` as a string or the name of a function.", "tool_choice")


def schema_of(wanted: dict[str, Any] | None, inner: str | None) -> Any:
    """The schema of the JSON that is asked for, None for plain text.

    `inner` is the object that holds the schema, None where it is beside the type.
    """
    kind = (wanted or {}).get("type")
    if kind == "json_object":
        return {"type": "object"}
    if wanted is None or kind != "json_schema":
        return None
    holder = wanted.get(inner) if inner else wanted
    schema = holder.get("schema") if isinstance(holder, dict) else None
    return {} if schema is None else schema


def chat(asked: Asked) -> Whole | Streamed:
    """Answer a chat completion."""
    request = decode(asked.body, _Request)
    talk = request.talk()
    copies = request.n or 1
    reply = answer(talk, asked, copies)
    usage = asked.usage(talk.size(), reply.size)
    if asked.stream:
        chunks = Chunks(asked, "chatcmpl-", "chat.completion.chunk", shown(usage, request.stream_options))
        return Streamed(_Writer(asked, reply, copies, chunks), pieces(reply.parts, asked.knobs.chunks))
    message = _message(reply, asked.knobs.chunks)
    finish = _finish(asked, reply)
    body = head(asked, "chatcmpl-", "chat.completion")
    body["choices"] = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": finish} for index in range(copies)
    ]
    if usage:
        body["usage"] = to_openai(usage)
    return whole(body)


def _message(reply: Reply, chunks: int | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    if reply.calls:
        message["tool_calls"] = [_call(part, part.text) for part in reply.parts]
    else:
        message["content"] = whole_text(reply.parts[0], chunks)
    return message


def _call(part: Part, arguments: str) -> dict[str, Any]:
    function = {"name": part.tool, "arguments": arguments}
    return {"id": f"call_{part.id}", "type": "function", "function": function}


def _finish(asked: Asked, reply: Reply) -> str:
    return asked.knobs.finish_reason or ("tool_calls" if reply.calls else "stop")


class _Writer:
    """A streamed chat completion, all choices at once."""

    def __init__(self, asked: Asked, reply: Reply, copies: int, chunks: Chunks) -> None:
        self._reply = reply
        self._copies = copies
        self._chunks = chunks
        self._finish = _finish(asked, reply)
        self._open = -1

    def opening(self) -> bytes:
        """The role."""
        return self._event({"role": "assistant", "content": None if self._reply.calls else "", "refusal": None})

    def chunk(self, piece: Piece) -> bytes:
        """A piece of the text, or of a call's arguments; a call begins with its name."""
        part = self._reply.parts[piece.slot]
        if part.tool is None:
            return self._event({"content": piece.text})
        begins = b""
        if piece.slot != self._open:
            self._open = piece.slot
            begins = self._event({"tool_calls": [{"index": piece.slot, **_call(part, "")}]})
        fragment = {"index": piece.slot, "function": {"arguments": piece.text}}
        return begins + self._event({"tool_calls": [fragment]})

    def closing(self) -> bytes:
        """The reason for the end, then the usage if it was asked for."""
        return self._event({}, self._finish) + self._chunks.end()

    def failing(self, status: int, message: str) -> bytes:
        """An error object in a `data` line."""
        return self._chunks.failing(status, message)

    def _event(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        """A chunk for each choice."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        out = []
        for index in range(self._copies):
            choice["index"] = index
            out.append(self._chunks.event(choice))
        return b"".join(out)
