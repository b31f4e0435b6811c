"""The echo's messages and token counts. Source: Anthropic API reference, "Messages" and "Streaming messages"."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.providers.echo.asked import Asked, Streamed, Whole, decode, whole
from lib.providers.echo.chat import schema_of
from lib.providers.echo.errors import error_in_stream
from lib.providers.echo.talk import Message, Reply, Talk, Tool, answer
from lib.providers.echo.text import Part, Piece, pieces, text_of, tokens, whole_text
from lib.wire import Usage, encode, to_anthropic

_CLOSING_COUNTS = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
)
_PING = encode(b'{"type":"ping"}', "ping")


class _Tool(msgspec.Struct):
    """A tool of the caller's; those that Anthropic runs itself have no schema."""

    name: str
    input_schema: dict[str, Any] | None = None


class _ToolChoice(msgspec.Struct):
    type: str
    name: str | None = None


class _OutputConfig(msgspec.Struct):
    format: dict[str, Any] | None = None


class _Counted(msgspec.Struct):
    """What a count of tokens is asked about."""

    messages: list[Message]
    system: Any = None
    tools: list[_Tool] | None = None
    tool_choice: _ToolChoice | None = None
    output_config: _OutputConfig | None = None
    output_format: dict[str, Any] | None = None  # the name of `output_config.format` while it was a beta

    def talk(self) -> Talk:
        config = self.output_config
        return Talk(
            messages=self.messages,
            system=text_of(self.system),
            tools=[Tool(tool.name, tool.input_schema) for tool in self.tools or () if tool.input_schema is not None],
            forced=_forced(self.tool_choice),
            schema=schema_of(self.output_format or (config.format if config else None), None),
        )


class _Request(_Counted, kw_only=True):
    max_tokens: int


def count_tokens(asked: Asked) -> Whole:
    """Answer how many tokens a message has: the same number that its usage would show."""
    talk = decode(asked.body, _Counted).talk()
    return whole({"input_tokens": asked.knobs.count(tokens(talk.size()), 0).prompt_tokens})


def message(asked: Asked) -> Whole | Streamed:
    """Answer a message."""
    talk = decode(asked.body, _Request).talk()
    reply = answer(talk, asked)
    usage = asked.usage(talk.size(), reply.size)
    if asked.stream:
        return Streamed(_Writer(asked, reply, usage), pieces(reply.parts, asked.knobs.chunks))
    body = _head(asked)
    body["content"] = [_block(part, asked.knobs.chunks) for part in reply.parts]
    body["stop_reason"] = _stop_reason(asked, reply)
    if usage:
        body["usage"] = to_anthropic(usage)
    return whole(body)


def _forced(choice: _ToolChoice | None) -> str | None:
    """The tool that must be called: a name, "" for any, None for none."""
    if choice is None or choice.type not in ("tool", "any"):
        return None
    return (choice.name or "") if choice.type == "tool" else ""


def _stop_reason(asked: Asked, reply: Reply) -> str:
    return asked.knobs.finish_reason or ("tool_use" if reply.calls else "end_turn")


def _head(asked: Asked) -> dict[str, Any]:
    return {
        "id": asked.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _block(part: Part, chunks: int | None) -> dict[str, Any]:
    if part.tool is None:
        return {"type": "text", "text": whole_text(part, chunks)}
    return {"type": "tool_use", "id": f"toolu_{part.id}", "name": part.tool, "input": msgspec.json.decode(part.text)}


class _Writer:
    """A streamed message: one content block after the other."""

    def __init__(self, asked: Asked, reply: Reply, usage: Usage | None) -> None:
        self._asked = asked
        self._reply = reply
        self._usage = usage
        self._open = -1

    def opening(self) -> bytes:
        """The message without content. Its usage says what went in."""
        head = _head(self._asked)
        if self._usage:
            head["usage"] = {**to_anthropic(self._usage), "output_tokens": 1}
        return _event({"type": "message_start", "message": head})

    def chunk(self, piece: Piece) -> bytes:
        """A delta; a block begins before its first one."""
        begins = b"" if piece.slot == self._open else self._begin(piece.slot)
        if self._reply.parts[piece.slot].tool is None:
            delta = {"type": "text_delta", "text": piece.text}
        else:
            delta = {"type": "input_json_delta", "partial_json": piece.text}
        return begins + _event({"type": "content_block_delta", "index": piece.slot, "delta": delta})

    def closing(self) -> bytes:
        """The end of the last block, the stop reason with the final usage, the end."""
        delta = {"stop_reason": _stop_reason(self._asked, self._reply), "stop_sequence": None}
        event: dict[str, Any] = {"type": "message_delta", "delta": delta}
        if self._usage:
            counts = to_anthropic(self._usage)
            event["usage"] = {name: counts[name] for name in _CLOSING_COUNTS if name in counts}
        return self._end() + _event(event) + _event({"type": "message_stop"})

    def failing(self, status: int, message: str) -> bytes:
        """An `error` event."""
        return error_in_stream(self._asked.path, status, message)

    def _begin(self, slot: int) -> bytes:
        """The end of the block before, and the start of this one; a ping follows the first, as Anthropic sends it."""
        part = self._reply.parts[slot]
        block: dict[str, Any] = {"type": "text", "text": ""}
        if part.tool is not None:
            block = {"type": "tool_use", "id": f"toolu_{part.id}", "name": part.tool, "input": {}}
        ended = self._end() if slot else b""
        self._open = slot
        start = _event({"type": "content_block_start", "index": slot, "content_block": block})
        return ended + start + (b"" if slot else _PING)

    def _end(self) -> bytes:
        return _event({"type": "content_block_stop", "index": self._open})


def _event(body: dict[str, Any]) -> bytes:
    return encode(msgspec.json.encode(body), body["type"])
