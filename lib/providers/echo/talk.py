"""What the echo says in a conversation, the same in every dialect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lib.providers.echo.asked import Asked
from lib.providers.echo.errors import Refusal
from lib.providers.echo.grading import graded
from lib.providers.echo.schema import instance
from lib.providers.echo.text import NOTHING_SAID, Part, length, limit, text_of

_SPEAKERS = ("user", "tool")
_INSTRUCTORS = ("system", "developer")


class Message(msgspec.Struct):
    """A message, or an item of the Responses API. `content` and `output` hold what their dialect allows."""

    role: str | None = None
    type: str | None = None
    content: Any = None
    output: Any = None

    @property
    def is_result(self) -> bool:
        """Whether this is what a tool answered."""
        parts = self.content if isinstance(self.content, list) else []
        return (
            self.role == "tool"
            or (self.type or "").endswith("_call_output")
            or any(isinstance(part, dict) and part.get("type") == "tool_result" for part in parts)
        )

    @property
    def text(self) -> str:
        """What it says."""
        return text_of(self.content if self.output is None else self.output)


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that may be called, with the JSON schema of its arguments."""

    name: str
    schema: Any


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: what counts of any dialect.

    `system` is text beside the messages. `forced` is the name of the tool that must be called, "" for
    any of them, None for none. `schema` is of the JSON that the answer must be, None for plain text.
    """

    messages: Sequence[Message]
    system: str = ""
    tools: Sequence[Tool] = ()
    forced: str | None = None
    schema: Any = None

    def size(self) -> int:
        """The characters of the prompt's text. Tools, images and files count nothing."""
        return len(self.system) + sum(len(message.text) for message in self.messages)

    def instructions(self) -> str:
        """The system's text, wherever it stands."""
        beside = [message.text for message in self.messages if message.role in _INSTRUCTORS]
        return "\n".join(filter(None, [self.system, *beside]))

    def said(self) -> str:
        """The text of the last message that a user or a tool sent; `NOTHING_SAID` when it has none."""
        for message in reversed(self.messages):
            if message.role in _SPEAKERS or message.is_result:
                return message.text or NOTHING_SAID
        return NOTHING_SAID


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of an answer: one text, or one or more calls of tools. `size` is its characters, arguments included."""

    parts: list[Part]
    size: int

    @property
    def calls(self) -> bool:
        """Whether it calls tools."""
        return self.parts[0].tool is not None


def answer(talk: Talk, asked: Asked, copies: int = 1) -> Reply:
    """The reply to a conversation, `copies` times.

    Raises `Refusal` for a tool that the request does not have, and for a reply that is too long.
    """
    names = _called(talk, asked)
    parts = [_call(talk, asked, name, index) for index, name in enumerate(names)] or [_text(talk, asked)]
    size = sum(length(part, asked.knobs.chunks) for part in parts) * copies
    limit(size)
    return Reply(parts, size)


def _called(talk: Talk, asked: Asked) -> list[str]:
    """The tools to call: those of the knob, unless a tool's result was the last word, or the one that is forced."""
    if asked.knobs.tools and not (talk.messages and talk.messages[-1].is_result):
        return asked.knobs.tools
    if talk.forced is None:
        return []
    if talk.forced:
        return [talk.forced]
    if not talk.tools:
        raise Refusal("A tool must be called, and the request has none that the echo can call.", "tools")
    return [talk.tools[0].name]


def _call(talk: Talk, asked: Asked, name: str, index: int) -> Part:
    tool = next((tool for tool in talk.tools if tool.name == name), None)
    if tool is None:
        raise Refusal("The tool to call is not among the functions of the request.", "tools")
    arguments = asked.knobs.reply
    if arguments is None:
        made = instance(tool.schema)
        arguments = _json(made if isinstance(made, dict) else {})
    elif not _is_object(arguments):
        raise Refusal("`reply` must be a JSON object when the answer is the call of a tool.", "echo.reply")
    return Part(arguments, tool=name, id=asked.id("", index)[8:], json=True)


def _text(talk: Talk, asked: Asked) -> Part:
    if asked.knobs.reply is not None:
        return Part(asked.knobs.reply)
    if talk.schema is not None:
        return Part(_json(instance(talk.schema)), json=True)
    said = talk.said()
    return Part(graded(talk.instructions(), said) or said)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, RecursionError):
        return False
