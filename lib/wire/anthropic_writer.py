"""Writing a Messages stream: one block open at a time, indices in order, events in the order Anthropic has them.

Source: Anthropic API reference, "Streaming messages".
"""

from __future__ import annotations

import msgspec

from lib.base.errors import VendorProtocolError
from lib.wire.reader import Json
from lib.wire.sse import encode
from lib.wire.usage import Usage, to_anthropic


class MessageWriter:
    """Encodes the events of one message. Each method returns the bytes to send.

    Whatever is asked for first opens the message; content of another kind
    closes the open block. `opened`: the message was; `started`: content went out.
    """

    def __init__(self, message_id: str, model: str) -> None:
        self.message_id = message_id
        self.model = model
        self.started = False
        self.opened = False
        self._ended = False
        self._index = -1
        self._block: str | None = None

    def start(self) -> bytes:
        """`message_start`, once. The vendors that are translated count tokens at the end, so its usage is 0."""
        if self.opened:
            return b""
        self.opened = True
        message: Json = {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": to_anthropic(Usage()),
        }
        return _event({"type": "message_start", "message": message})

    def text(self, fragment: str) -> bytes:
        """A fragment of text."""
        opening = self._open({"type": "text", "text": ""})
        return opening + self._delta({"type": "text_delta", "text": fragment})

    def thinking(self, fragment: str) -> bytes:
        """A fragment of thinking."""
        opening = self._open({"type": "thinking", "thinking": "", "signature": ""})
        return opening + self._delta({"type": "thinking_delta", "thinking": fragment})

    def signature(self, signature: str) -> bytes:
        """The signature of the thinking before it."""
        opening = self._open({"type": "thinking", "thinking": "", "signature": ""})
        return opening + self._delta({"type": "signature_delta", "signature": signature})

    def redacted(self, data: str) -> bytes:
        """A whole block of thinking that the vendor encrypted."""
        return self.close() + self._open({"type": "redacted_thinking", "data": data}) + self.close()

    def tool(self, call_id: str, name: str) -> bytes:
        """The beginning of a tool call, always in a block of its own."""
        return self.close() + self._open({"type": "tool_use", "id": call_id, "name": name, "input": {}})

    def arguments(self, fragment: str) -> bytes:
        """A fragment of the open tool call's arguments. Raises `VendorProtocolError` when none is open."""
        if self._block != "tool_use":
            raise VendorProtocolError(detail="arguments without a tool call")
        return self._delta({"type": "input_json_delta", "partial_json": fragment})

    def close(self) -> bytes:
        """`content_block_stop`, when a block is open."""
        if self._block is None:
            return b""
        self._block = None
        return _event({"type": "content_block_stop", "index": self._index})

    def end(self, stop_reason: str, stop_sequence: str | None, usage: Usage) -> bytes:
        """Close the block, then `message_delta` with the whole usage, then `message_stop`; once."""
        if self._ended:
            return b""
        before = self.start() + self.close()
        self._ended = True
        delta = {"stop_reason": stop_reason, "stop_sequence": stop_sequence}
        last: Json = {"type": "message_delta", "delta": delta, "usage": to_anthropic(usage)}
        return before + _event(last) + _event({"type": "message_stop"})

    def _open(self, block: Json) -> bytes:
        """Open a block, unless one of this kind is open already."""
        if self._block == block["type"]:
            return b""
        before = self.start() + self.close()
        self.started = True
        self._index += 1
        self._block = block["type"]
        return before + _event({"type": "content_block_start", "index": self._index, "content_block": block})

    def _delta(self, delta: Json) -> bytes:
        return _event({"type": "content_block_delta", "index": self._index, "delta": delta})


def _event(body: Json) -> bytes:
    return encode(msgspec.json.encode(body), body["type"])
