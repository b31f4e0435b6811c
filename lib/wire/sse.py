"""Server-sent events: finding, reading and writing them.

Source: WHATWG HTML Living Standard, section 9.2 "Server-sent events". A line
ends in LF, CRLF or CR; a blank line ends an event; a line that starts with a
colon is a comment. `id` and `retry` concern reconnection and are not read: no
model vendor uses them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

PING = b": ping\n\n"
"""A comment: every reader skips it, every load balancer counts it as traffic."""

DONE = b"data: [DONE]\n\n"
"""How a stream of the OpenAI dialect ends."""

_BOM = b"\xef\xbb\xbf"
_OVERLAP = 3  # bytes of a blank line that may stand before its last one
_BLANK_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r|\n)")
_LEADING_BLANK = re.compile(rb"(?:\r\n|\r|\n)+")


class Event(NamedTuple):
    """One dispatched event. `name` is None when the sender gave none (the standard's "message")."""

    name: str | None
    data: bytes


def complete(buffer: bytes | bytearray, start: int = 0) -> int:
    """The index just after the last complete event in `buffer`, 0 when there is none.

    `buffer` starts at the beginning of a line: cut it only at an index that
    this function returned. A CR at the very end counts as a whole line ending,
    as the standard has it; an LF that follows later is then an empty block.

    `start` changes how much is read, not the result: give the length of a
    beginning of `buffer` in which this function found nothing complete.
    """
    at = max(start - _OVERLAP, 0)
    end = buffer.rfind(b"\n\n", at) + 2
    if end > 1:
        at = end
        if end == len(buffer):
            return end
    else:
        end = 0
    if buffer.find(b"\r", at) >= 0:
        return _complete_any(buffer, at, end)
    return end or (0 if at else _after_blank(buffer, 0))


def _complete_any(buffer: bytes | bytearray, at: int, end: int) -> int:
    """`complete` for line endings of every style, looking from `at` on; `end` is what was found before."""
    if buffer.endswith(b"\r\n\r\n"):
        return len(buffer)
    if at == end:
        at = end = _after_blank(buffer, at)
    for match in _BLANK_LINE.finditer(buffer, at):
        end = match.end()
    return end


def _after_blank(buffer: bytes | bytearray, at: int) -> int:
    """Past the blank lines at `at`, where an event begins."""
    leading = _LEADING_BLANK.match(buffer, at)
    return leading.end() if leading else at


def events(block: bytes) -> Iterator[Event]:
    """The events in `block`, in order. What follows the last blank line is not complete and is left out."""
    if block.startswith(_BOM):
        block = block[len(_BOM) :]
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    parts = block.split(b"\n\n")
    parts.pop()
    for part in parts:
        event = _read(part)
        if event is not None:
            yield event


def _read(lines: bytes) -> Event | None:
    """The event that these lines describe; None when they hold no data field."""
    name = None
    data: list[bytes] = []
    for line in lines.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ").decode("utf-8", "replace") or None
    return Event(name, b"\n".join(data)) if data else None


def encode(data: bytes, name: str | None = None) -> bytes:
    """One event on the wire. Each line of `data` becomes a `data:` line; `name` must hold no line break."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
    return head + b"data: " + data + b"\n\n"
