"""A stream of chat completion chunks as a Messages stream.

Sources: OpenAI API reference, "The chat completion chunk object"; Anthropic API
reference, "Streaming messages". OpenAI sends the usage after the finish reason,
so both go out with [DONE], in `message_delta`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from lib.base.errors import VendorProtocolError
from lib.wire.answer import decode, obj, objects, reject, text, word
from lib.wire.anthropic_from_openai import call_id, reasoning, stop_reason
from lib.wire.anthropic_writer import MessageWriter
from lib.wire.reader import Json
from lib.wire.sse import Event
from lib.wire.usage import UNREADABLE, Usage, openai_usage


class MessageStream:
    """One stream; see `lib.wire.translate.StreamTranslator`."""

    def __init__(self, *, model: str) -> None:
        self.complete = False
        self._writer = MessageWriter("", model)
        self._calls = _Calls(self._writer)
        self._usage = Usage()
        self._finish_reason: Any = None
        self._refused = False

    @property
    def started(self) -> bool:
        """See `StreamTranslator`."""
        return self._writer.started

    def feed(self, event: Event) -> bytes:
        """See `StreamTranslator`."""
        if self.complete:
            return b""
        if event.data.strip() == b"[DONE]":
            self.complete = True
            return self.finish()
        chunk = decode(event.data)
        reject(chunk)
        if isinstance(chunk.get("usage"), dict):
            self._usage = openai_usage(chunk["usage"])
        out = self._start(chunk)
        for choice in objects(chunk.get("choices") or [], "choices"):
            if choice.get("index", 0) == 0:
                out += self._choice(choice)
        return out

    def finish(self) -> bytes:
        """See `StreamTranslator`."""
        last = self._calls.flush()
        reason = stop_reason(self._finish_reason, calls=bool(self._calls.all), refused=self._refused)
        return last + self._writer.end(reason, None, self._usage)

    def _start(self, chunk: Json) -> bytes:
        """The first chunk that names the answer opens the message. Azure sends one before it that names nothing."""
        self._writer.message_id = self._writer.message_id or text(chunk.get("id"))
        if not self._writer.message_id:
            return b""
        if not self._writer.opened:
            self._writer.model = text(chunk.get("model")) or self._writer.model
        return self._writer.start()

    def _choice(self, choice: Json) -> bytes:
        delta = obj(choice.get("delta"))
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        out = b""
        thought, said, refusal = reasoning(delta), text(delta.get("content")), text(delta.get("refusal"))
        if thought:
            out += self._calls.flush() + self._writer.thinking(thought)
        if said:
            out += self._calls.flush() + self._writer.text(said)
        if refusal:
            self._refused = True
            out += self._calls.flush() + self._writer.text(refusal)
        for call in objects(delta.get("tool_calls") or [], "tool_calls"):
            out += self._calls.feed(call, self._writer.message_id)
        return out


@dataclass(slots=True)
class _Call:
    """One tool call; `waiting` is the part of its arguments that has not been sent."""

    vendors_id: str
    id: str
    name: str
    sent: str = ""
    waiting: str = ""
    opened: bool = False
    closed: bool = False

    def is_whole(self) -> bool:
        try:
            msgspec.json.decode(self.sent + self.waiting)
        except UNREADABLE:
            return False
        return True


@dataclass(slots=True)
class _Calls:
    """Tool calls that arrive side by side and leave one after the other.

    An Anthropic stream finishes a block before the next one begins; OpenAI's
    chunks may take turns between calls. The first call that is not closed is
    handed on as it arrives. The next one waits until the arguments of that one
    are whole, which is the case when it first appears, except with vendors that
    do take turns, and at the latest until the end.
    """

    writer: MessageWriter
    all: list[_Call] = field(default_factory=list)
    places: dict[int, _Call] = field(default_factory=dict)
    closed: int = 0

    def feed(self, call: Json, answer_id: str) -> bytes:
        """Take a fragment of a call; the bytes that can be sent now."""
        function = obj(call.get("function"))
        fed = self._find(call, function, answer_id)
        fragment = text(function.get("arguments"))
        if fed.closed and fragment.strip():
            raise VendorProtocolError(detail="more arguments for a tool call that was finished")
        fed.waiting += fragment
        return self._advance(fed)

    def flush(self) -> bytes:
        """Send all that waits and close every call."""
        return b"".join(self._send(call) + self._close(call) for call in self.all[self.closed :])

    def _find(self, call: Json, function: Json, answer_id: str) -> _Call:
        """The call that a fragment belongs to, by its index.

        Gemini gives parallel calls one index, or none: another id, or a name
        after whole arguments, begins another call.
        """
        index = call.get("index")
        place = index if type(index) is int else -1
        known = self.places.get(place)
        name, identifier = text(function.get("name")), text(call.get("id"))
        if known and not (name and (identifier != known.vendors_id if identifier else known.is_whole())):
            return known
        new = _Call(identifier, call_id(identifier, answer_id, len(self.all)), word(name, "name"))
        self.places[place] = new
        self.all.append(new)
        return new

    def _advance(self, fed: _Call) -> bytes:
        out = b""
        while self.closed < len(self.all):
            current = self.all[self.closed]
            out += self._send(current)
            if current is fed or not current.is_whole():
                break
            out += self._close(current)
        return out

    def _send(self, call: _Call) -> bytes:
        out = b"" if call.opened else self.writer.tool(call.id, call.name)
        call.opened = True
        if call.waiting:
            out += self.writer.arguments(call.waiting)
            call.sent, call.waiting = call.sent + call.waiting, ""
        return out

    def _close(self, call: _Call) -> bytes:
        call.closed = True
        self.closed += 1
        return self.writer.close()
