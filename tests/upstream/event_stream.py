"""AWS's binary event streams, written from the vendor's description of the format.

Source: Amazon Transcribe Developer Guide, "Event stream encoding"; the framing is the same for all services.
"""

from __future__ import annotations

import struct
from typing import Any
from zlib import crc32

from tests.upstream.recipe import encode

EVENT_STREAM = "application/vnd.amazon.eventstream"
STRING = 7  # the header type of a string


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message: total length, length of the headers, CRC of both; headers; payload; CRC of all of it."""
    fields = b"".join(_field(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(fields) + len(payload), len(fields))
    message = prelude + struct.pack("!I", crc32(prelude)) + fields + payload
    return message + struct.pack("!I", crc32(message))


def _field(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", STRING, len(value)) + value


def event(kind: str, payload: dict[str, Any]) -> bytes:
    """An event. Bedrock pads the payload with `p`, so that its length tells nothing about the text."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, encode(payload | {"p": "abcdefghijk"}))


def exception(kind: str, words: str) -> bytes:
    """An exception that ends a stream, such as `throttlingException`."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, encode({"message": words}))


def unmodelled(code: str, words: str) -> bytes:
    """An error that the service's model does not know."""
    return frame({":message-type": "error", ":error-code": code, ":error-message": words}, b"")
