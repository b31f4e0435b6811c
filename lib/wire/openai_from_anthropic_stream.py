"""A Messages stream as a stream of chat completion chunks.

Sources: Anthropic API reference, "Streaming messages"; OpenAI API reference,
"The chat completion chunk object". What becomes of each event:

    message_start         the chunk with the role; the id of all chunks
    content_block_start   of a tool: a tool call with its id, name and index
    content_block_delta   content, reasoning_content, or arguments
    content_block_stop    `{}` for a tool without arguments: OpenAI's are JSON
    message_delta         the chunk with the finish reason
    message_stop          the usage chunk if it is wanted, then [DONE]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from lib.base.errors import VendorProtocolError
from lib.wire.answer import decode, obj, reject, text, word
from lib.wire.openai_from_anthropic import finish_reason
from lib.wire.reader import Json
from lib.wire.sse import DONE, Event, encode
from lib.wire.usage import anthropic_usage, to_openai
from lib.wire.usage_watch import merge


class CompletionStream:
    """One stream; see `lib.wire.translate.StreamTranslator`."""

    def __init__(self, *, include_usage: bool, created: int, model: str) -> None:
        self.started = False
        self.complete = False
        self._head: Json = {"id": "", "object": "chat.completion.chunk", "created": created, "model": model}
        self._include_usage = include_usage
        self._usage: Json = {}
        self._tools: dict[int, int] = {}
        self._without_arguments: set[int] = set()
        self._finished = False
        self._closed = False

    def feed(self, event: Event) -> bytes:
        """See `StreamTranslator`."""
        if self._closed:
            return b""
        body = decode(event.data)
        reject(body)
        handle = self._HANDLERS.get(text(body.get("type")))
        return handle(self, body) if handle else b""

    def finish(self) -> bytes:
        """See `StreamTranslator`."""
        if self._closed:
            return b""
        self._closed = True
        last = b"".join(self._arguments(key, "{}") for key in sorted(self._without_arguments))
        last += b"" if self._finished else self._chunk({}, "stop")
        if self._include_usage:
            counted = {"usage": to_openai(anthropic_usage(self._usage))}
            last += encode(msgspec.json.encode({**self._head, "choices": [], **counted}))
        return last + DONE

    def _message_start(self, body: Json) -> bytes:
        message = obj(body.get("message"))
        self._head["id"] = text(message.get("id"))
        self._head["model"] = text(message.get("model")) or self._head["model"]
        self._usage = obj(message.get("usage"))
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def _block_start(self, body: Json) -> bytes:
        block, index = obj(body.get("content_block")), body.get("index")
        if block.get("type") == "tool_use":
            return self._tool_start(block, _key(index))
        said = text(block.get("text"))
        return self._content({"content": said}) if said else b""

    def _tool_start(self, block: Json, key: int) -> bytes:
        place = self._tools[key] = len(self._tools)
        whole = obj(block.get("input"))
        if not whole:
            self._without_arguments.add(key)
        arguments = msgspec.json.encode(whole).decode() if whole else ""
        function = {"name": word(block.get("name"), "name"), "arguments": arguments}
        call = {"index": place, "id": word(block.get("id"), "id"), "type": "function", "function": function}
        return self._content({"tool_calls": [call]})

    def _block_delta(self, body: Json) -> bytes:
        delta = obj(body.get("delta"))
        kind = delta.get("type")
        if kind == "text_delta":
            return self._fragment("content", delta.get("text"))
        if kind == "thinking_delta":
            return self._fragment("reasoning_content", delta.get("thinking"))
        if kind == "input_json_delta":
            return self._arguments(_key(body.get("index")), text(delta.get("partial_json")))
        return b""

    def _arguments(self, key: int, fragment: str) -> bytes:
        if key not in self._tools or not fragment:
            return b""
        self._without_arguments.discard(key)
        return self._content({"tool_calls": [{"index": self._tools[key], "function": {"arguments": fragment}}]})

    def _block_stop(self, body: Json) -> bytes:
        key = _key(body.get("index"))
        return self._arguments(key, "{}") if key in self._without_arguments else b""

    def _message_delta(self, body: Json) -> bytes:
        self._usage = merge(self._usage, obj(body.get("usage")))
        delta = obj(body.get("delta"))
        if self._finished or not delta.get("stop_reason"):
            return b""
        self._finished = True
        explanation = text(obj(delta.get("stop_details")).get("explanation"))
        return self._chunk({"refusal": explanation} if explanation else {}, finish_reason(delta["stop_reason"]))

    def _message_stop(self, body: Json) -> bytes:
        self.complete = True
        return self.finish()

    def _fragment(self, field: str, value: Any) -> bytes:
        return self._content({field: value}) if text(value) else b""

    def _content(self, delta: Json) -> bytes:
        self.started = True
        return self._chunk(delta)

    def _chunk(self, delta: Json, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk: Json = {**self._head, "choices": [choice]}
        if self._include_usage:
            chunk["usage"] = None
        return encode(msgspec.json.encode(chunk))

    _HANDLERS: ClassVar[dict[str, Callable[[CompletionStream, Json], bytes]]] = {
        "message_start": _message_start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "content_block_stop": _block_stop,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
    }


def _key(index: Any) -> int:
    """The index of a content block. Raises `VendorProtocolError`."""
    if type(index) is not int:
        raise VendorProtocolError(detail="an event without the index of its block")
    return index
