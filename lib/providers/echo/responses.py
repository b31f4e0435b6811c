"""The echo's responses. Source: OpenAI API reference, "Responses" and "Streaming events"."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.providers.echo.asked import Asked, Streamed, Whole, decode, whole
from lib.providers.echo.chat import forced, schema_of
from lib.providers.echo.errors import Refusal, openai_code
from lib.providers.echo.talk import Message, Reply, Talk, Tool, answer
from lib.providers.echo.text import Part, Piece, pieces, text_of, whole_text
from lib.wire import Usage, encode, openai_type

# The settings that a response repeats, with the vendor's defaults.
_SETTINGS: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
_INCOMPLETE = {
    "length": "max_output_tokens",
    "max_output_tokens": "max_output_tokens",
    "content_filter": "content_filter",
}
_COMPLETE = frozenset({None, "stop", "tool_calls", "completed"})


class _Tool(msgspec.Struct):
    """A tool; those that OpenAI runs itself have a type of their own."""

    type: str
    name: str | None = None
    parameters: Any = None


class _Text(msgspec.Struct):
    format: dict[str, Any] | None = None


class _Request(msgspec.Struct):
    input: str | list[Message] | None = None
    instructions: Any = None
    tools: list[_Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: _Text | None = None

    def talk(self) -> Talk:
        messages = [Message("user", content=self.input)] if isinstance(self.input, str) else self.input or []
        functions = [tool for tool in self.tools or () if tool.type == "function"]
        return Talk(
            messages=messages,
            system=text_of(self.instructions),
            tools=[Tool(tool.name, tool.parameters) for tool in functions if tool.name],
            forced=forced(self.tool_choice, None),
            schema=schema_of(self.text.format if self.text else None, None),
        )


def response(asked: Asked) -> Whole | Streamed:
    """Answer a response."""
    talk = decode(asked.body, _Request).talk()
    reply = answer(talk, asked)
    items = _Items(asked, reply, asked.usage(talk.size(), reply.size))
    if asked.stream:
        return Streamed(_Writer(items), pieces(reply.parts, asked.knobs.chunks))
    return whole(items.ended([whole_text(part, asked.knobs.chunks) for part in reply.parts]))


class _Items:
    """The objects of one response: itself at each stage, and its output items."""

    def __init__(self, asked: Asked, reply: Reply, usage: Usage | None) -> None:
        finish = asked.knobs.finish_reason
        if finish not in _COMPLETE and finish not in _INCOMPLETE:
            raise Refusal("A response ends with `stop`, `length` or `content_filter`.", "echo.finish_reason")
        self.reply = reply
        self.reason = _INCOMPLETE.get(finish or "")
        self.status = "incomplete" if self.reason else "completed"
        self._asked = asked
        self._usage = usage
        given = decode(asked.body, dict[str, Any])
        self._settings = {
            name: default if given.get(name) is None else given[name] for name, default in _SETTINGS.items()
        }

    def begun(self) -> dict[str, Any]:
        """The response before any output."""
        return self._response("in_progress", [], None)

    def ended(self, texts: list[str]) -> dict[str, Any]:
        """The response with all of its output."""
        output = [self.item(slot, text, self.status) for slot, text in enumerate(texts)]
        return self._response(self.status, output, self._usage)

    def item(self, slot: int, text: str | None, status: str) -> dict[str, Any]:
        """An output item; a text of None is one that has not begun."""
        part = self.reply.parts[slot]
        if part.tool is None:
            content = [] if text is None else [text_part(text)]
            head = {"id": self.item_id(slot), "type": "message", "status": status}
            return {**head, "role": "assistant", "content": content}
        return {
            "id": self.item_id(slot),
            "type": "function_call",
            "status": status,
            "call_id": f"call_{part.id}",
            "name": part.tool,
            "arguments": text or "",
        }

    def item_id(self, slot: int) -> str:
        """The identifier of an output item."""
        return self._asked.id("msg_" if self.reply.parts[slot].tool is None else "fc_", slot + 1)

    def _response(self, status: str, output: list[dict[str, Any]], usage: Usage | None) -> dict[str, Any]:
        ended = status != "in_progress"
        return {
            "id": self._asked.id("resp_"),
            "object": "response",
            "created_at": self._asked.created,
            "status": status,
            "completed_at": self._asked.created if status == "completed" else None,
            "error": None,
            "incomplete_details": {"reason": self.reason} if self.reason and ended else None,
            "model": self._asked.model,
            "output": output,
            **self._settings,
            "service_tier": "default",
            "usage": _usage(usage) if usage else None,
        }


def text_part(text: str) -> dict[str, Any]:
    """The content of a message item."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(usage: Usage) -> dict[str, Any]:
    prompt = usage.prompt_tokens
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": prompt + usage.output_tokens,
    }


class _Writer:
    """A streamed response: numbered events, one output item after the other."""

    def __init__(self, items: _Items) -> None:
        self._items = items
        self._texts: list[list[str]] = []  # what was sent of each item
        self._number = 0

    def opening(self) -> bytes:
        """The response is created and in progress."""
        begun = self._items.begun()
        return self._event("response.created", response=begun) + self._event("response.in_progress", response=begun)

    def chunk(self, piece: Piece) -> bytes:
        """A delta; an item begins before its first one."""
        begins = b"" if piece.slot < len(self._texts) else self._begin(piece.slot)
        self._texts[-1].append(piece.text)
        if self._part.tool is not None:
            return begins + self._of_item("response.function_call_arguments.delta", delta=piece.text)
        return begins + self._of_text("response.output_text.delta", delta=piece.text, logprobs=[])

    def closing(self) -> bytes:
        """The end of the last item, then the whole response."""
        end = self._end()
        texts = ["".join(text) for text in self._texts]
        return end + self._event(f"response.{self._items.status}", response=self._items.ended(texts))

    def failing(self, status: int, message: str) -> bytes:
        """An `error` event."""
        code = openai_code(status) or openai_type(status)
        return self._event("error", code=code, message=message, param=None)

    @property
    def _slot(self) -> int:
        return len(self._texts) - 1

    @property
    def _part(self) -> Part:
        return self._items.reply.parts[self._slot]

    def _begin(self, slot: int) -> bytes:
        """The end of the item before, and the start of this one."""
        ended = self._end() if slot else b""
        self._texts.append([])
        item = self._items.item(slot, None, "in_progress")
        added = self._event("response.output_item.added", output_index=slot, item=item)
        if self._part.tool is None:
            added += self._of_text("response.content_part.added", part=text_part(""))
        return ended + added

    def _end(self) -> bytes:
        """All that ends an item, each event with what the item has become."""
        text = "".join(self._texts[-1])
        if self._part.tool is None:
            done = self._of_text("response.output_text.done", text=text, logprobs=[])
            done += self._of_text("response.content_part.done", part=text_part(text))
        else:
            done = self._of_item("response.function_call_arguments.done", name=self._part.tool, arguments=text)
        item = self._items.item(self._slot, text, self._items.status)
        return done + self._event("response.output_item.done", output_index=self._slot, item=item)

    def _of_text(self, kind: str, **fields: Any) -> bytes:
        return self._of_item(kind, content_index=0, **fields)

    def _of_item(self, kind: str, **fields: Any) -> bytes:
        return self._event(kind, item_id=self._items.item_id(self._slot), output_index=self._slot, **fields)

    def _event(self, kind: str, **fields: Any) -> bytes:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return encode(msgspec.json.encode(event), kind)
