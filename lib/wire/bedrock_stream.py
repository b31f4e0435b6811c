"""Converse's event stream as a Messages stream.

Source: Amazon Bedrock API reference, "ConverseStreamOutput". A block of text or
reasoning begins with its first delta, since Converse announces only tool calls.
The usage comes in `metadata`, after `messageStop`, so both go out with it.
"""

from __future__ import annotations

from typing import Any

from lib.base.errors import VendorError, VendorOverloaded
from lib.wire.answer import obj, text, word
from lib.wire.anthropic_writer import MessageWriter
from lib.wire.bedrock_answer import converse_usage, encode_redacted, stop_reason, stop_sequence
from lib.wire.reader import Json
from lib.wire.usage import Usage

_ERRORS: dict[str, type[VendorError | VendorOverloaded]] = {
    "internalServerException": VendorError,
    "modelStreamErrorException": VendorError,
    "validationException": VendorError,
    "modelTimeoutException": VendorError,
    "throttlingException": VendorOverloaded,
    "serviceUnavailableException": VendorOverloaded,
}


class ConverseStream:
    """One stream, from boto3's events to bytes in Anthropic's dialect.

    `started`: something with content went out. `complete`: `metadata`, the last
    event, was seen.
    """

    def __init__(self, model: str, message_id: str) -> None:
        self.complete = False
        self._writer = MessageWriter(message_id, model)
        self._usage = Usage()
        self._stop_reason: Any = None
        self._stop_sequence: str | None = None

    @property
    def started(self) -> bool:
        """Something with content went out."""
        return self._writer.started

    def feed(self, event: Json) -> bytes:
        """The bytes that follow from an event. Raises `VendorError`, `VendorOverloaded`, `VendorProtocolError`."""
        if self.complete:
            return b""
        for name, error in _ERRORS.items():
            if name in event:
                raise error(detail=f"{name}: {text(obj(event[name]).get('message'))}")
        if "contentBlockDelta" in event:
            return self._delta(obj(obj(event["contentBlockDelta"]).get("delta")))
        if "contentBlockStart" in event:
            return self._start(obj(obj(event["contentBlockStart"]).get("start")))
        if "contentBlockStop" in event:
            return self._writer.close()
        return self._around(event)

    def finish(self) -> bytes:
        """Close what is open, once the stream ended properly. `b""` the second time."""
        return self._writer.end(stop_reason(self._stop_reason), self._stop_sequence, self._usage)

    def _around(self, event: Json) -> bytes:
        """The events before and after the content."""
        if "messageStart" in event:
            return self._writer.start()
        if "messageStop" in event:
            stop = obj(event["messageStop"])
            self._stop_reason, self._stop_sequence = stop.get("stopReason"), stop_sequence(stop)
        if "metadata" in event:
            self.complete = True
            self._usage = converse_usage(obj(event["metadata"]).get("usage"))
            return self.finish()
        return b""

    def _start(self, start: Json) -> bytes:
        if "toolUse" not in start:
            return b""
        call = obj(start["toolUse"])
        return self._writer.tool(word(call.get("toolUseId"), "toolUseId"), word(call.get("name"), "name"))

    def _delta(self, delta: Json) -> bytes:
        if text(delta.get("text")):
            return self._writer.text(delta["text"])
        if "toolUse" in delta:
            fragment = text(obj(delta["toolUse"]).get("input"))
            return self._writer.arguments(fragment) if fragment else b""
        return self._reasoning(obj(delta.get("reasoningContent")))

    def _reasoning(self, delta: Json) -> bytes:
        if text(delta.get("text")):
            return self._writer.thinking(delta["text"])
        if text(delta.get("signature")):
            return self._writer.signature(delta["signature"])
        if "redactedContent" in delta:
            return self._writer.redacted(encode_redacted(delta["redactedContent"]))
        return b""
