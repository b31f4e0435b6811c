"""What the gateway must see in a stream that it otherwise hands on unread.

Three signs: the first event with content (until then another vendor may still
answer), an error inside a 200, and the end. All but the last are asked only of
the first few events, or of the few that hold a telling word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from lib.base.errors import AIProxyError, VendorProtocolError
from lib.wire.paths import Shape
from lib.wire.sse import Event, events
from lib.wire.vendor_errors import stream_error


class _Head(msgspec.Struct):
    type: Any = None
    error: Any = None


class _Object(msgspec.Struct):
    """Any object; what is in it is only checked for being JSON."""


_HeadOrList = _Head | list[msgspec.Raw]


_head = msgspec.json.Decoder(_Head)
_head_or_list: msgspec.json.Decoder[_HeadOrList] = msgspec.json.Decoder(_HeadOrList)
_object = msgspec.json.Decoder(_Object)
_BLANK_LINES = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r|\n)+")
_PREAMBLE = {
    Shape.MESSAGE: frozenset({"message_start", "ping"}),
    Shape.RESPONSE: frozenset({"response.created", "response.queued", "response.in_progress"}),
}
_ENDS = {
    Shape.CHAT: (b"data: [DONE]", b"data:[DONE]"),
    Shape.COMPLETION: (b"data: [DONE]", b"data:[DONE]"),
    Shape.MESSAGE: (b"event: message_stop", b"event:message_stop"),
    Shape.RESPONSE: (b"event: response.completed", b"event: response.incomplete", b"event: response.failed"),
    Shape.IMAGE: (b"event: image_generation.completed",),
    Shape.SPEECH: (b"event: speech.audio.done",),
    Shape.TRANSCRIPTION: (b"event: transcript.text.done", b"data: [DONE]"),
}
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
_LAST_WORDS = re.compile(
    rb'"finish_reason": ?"|"type": ?"(?:message_stop|response\.(?:completed|incomplete|failed)'
    rb'|image_generation\.completed|transcript\.text\.done|speech\.audio\.done)"'
)


def bears_content(shape: Shape, event: Event, provider: str) -> bool:
    """Whether an event shows something of the answer itself.

    Raises the error it carries instead, if it is one (see `error_in`), and
    `VendorProtocolError` when it is not JSON.
    """
    if event.data == b"[DONE]":
        return True
    data = _decode(event.data)
    if not isinstance(data, dict):
        raise VendorProtocolError(detail="an event that is not a JSON object", provider=provider)
    error = error_in(shape, event, data, provider)
    if error is not None:
        raise error
    if shape in _PREAMBLE:
        kind = data.get("type") or event.name
        return not (isinstance(kind, str) and kind in _PREAMBLE[shape])
    if shape in (Shape.CHAT, Shape.COMPLETION):
        return any(_says_something(choice) for choice in _list(data.get("choices")))
    return True


def error_in(shape: Shape, event: Event, data: dict[str, Any], provider: str) -> AIProxyError | None:
    """The failure that an event (or a whole 200 body) reports, if it is one.

    OpenAI: an `error`, which some routers send beside `choices`; Anthropic and the Responses API: type
    `error`, and `response.failed`, which is told here only while nothing was shown yet.
    """
    if data.get("type") in ("error", "response.failed") or event.name == "error":
        return stream_error(event.data, provider)
    if shape not in (Shape.MESSAGE, Shape.RESPONSE) and data.get("error"):
        return stream_error(event.data, provider)
    return None


def error_in_body(shape: Shape, body: bytes, provider: str) -> AIProxyError | None:
    """The failure that a whole 200 body reports, if it does. JSON shapes must hold an object, vectors may be a list."""
    if shape in (Shape.TRANSCRIPTION, Shape.SPEECH):
        return None  # may be plain text or sound
    try:
        head = _head_or_list.decode(body) if shape is Shape.EMBED else _head.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return VendorProtocolError(detail="an answer that is not a JSON object", provider=provider)
    if isinstance(head, list):
        return None
    if head.type == "error" or (head.error and shape is not Shape.RESPONSE):
        return stream_error(body, provider)
    return None


def is_sound(block: bytes) -> bool:
    """Whether every event of a block is a JSON object, or `[DONE]`, and no word in it speaks of an error."""
    if b"error" in block:
        return False
    try:
        for event in events(block):
            if event.data != b"[DONE]":
                _object.decode(event.data)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def until_error(shape: Shape, block: bytes, provider: str) -> tuple[bytes, AIProxyError | None]:
    """A block up to the first event that reports a failure, or is none of the dialect, and that failure.

    All of the block when it holds neither.
    """
    at = 0
    for raw in _split(block):
        for event in events(raw):
            error = _error_after_content(shape, event, provider)
            if error is not None:
                return block[:at], error
        at += len(raw)
    return block, None


def _error_after_content(shape: Shape, event: Event, provider: str) -> AIProxyError | None:
    if event.data == b"[DONE]":
        return None
    data = _decode(event.data)
    if not isinstance(data, dict):
        return VendorProtocolError(detail="an event that is not a JSON object", provider=provider)
    if data.get("type") == "response.failed":
        return None  # how an answer of the Responses API may end; its caller knows it
    return error_in(shape, event, data, provider)


def has_usage(block: bytes) -> bool:
    """Whether a block may hold a usage object: OpenAI writes `"usage": null` into every other chunk."""
    return b'"usage"' in block and _USAGE.search(block) is not None


def without_usage(block: bytes) -> bytes:
    """A block without the usage event of OpenAI's `include_usage`: the one with usage and no choices.

    The very same block when it has none.
    """
    if not has_usage(block):
        return block
    return b"".join([raw for raw in _split(block) if not any(_is_usage(event) for event in events(raw))])


def ends(shape: Shape, block: bytes) -> bool:
    """Whether a block of complete events holds the dialect's own last event."""
    return any(_starts_line(block, sign) for sign in _ENDS.get(shape, ()))


def nearly_ends(block: bytes) -> bool:
    """Whether a block says that the answer is finished, for vendors that leave out the last event, or its name."""
    return _LAST_WORDS.search(block) is not None


def _split(block: bytes) -> Iterator[bytes]:
    """The events of a block as they stand there, blank lines included; nothing is left out."""
    at = 0
    for blank in _BLANK_LINES.finditer(block):
        yield block[at : blank.end()]
        at = blank.end()
    if at < len(block):
        yield block[at:]


def _starts_line(block: bytes, sign: bytes) -> bool:
    at = block.rfind(sign)
    return at == 0 or (at > 0 and block[at - 1] in b"\r\n")


def _says_something(choice: Any) -> bool:
    if not isinstance(choice, dict):
        return False
    delta = choice.get("delta")
    if isinstance(delta, dict) and any(value for key, value in delta.items() if key != "role"):
        return True
    return bool(choice.get("text") or choice.get("finish_reason"))


def _is_usage(event: Event) -> bool:
    data = _decode(event.data)
    return isinstance(data, dict) and bool(data.get("usage")) and data.get("choices") == []


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
