"""Cutting what a vendor sends into whole events, however it arrives."""

from __future__ import annotations

from lib.base.errors import VendorProtocolError
from lib.wire import complete

MAX_EVENT = 8 * 1024 * 1024  # bytes of one event, and of what is held back before content
_OVERLAP = 3  # bytes of the longest blank line that may have come before its last one


class WholeEvents:
    """Keeps back the beginning of an event until the rest of it comes.

    Each byte is looked at once or twice, whatever an event's size: a large one comes in many blocks.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = bytearray()

    @property
    def tail(self) -> bytes:
        """What is kept back."""
        return bytes(self._tail)

    def feed(self, block: bytes) -> bytes:
        """All events that are complete now; b"" when none is. Raises `VendorProtocolError` for one without end."""
        tail = self._tail
        if not tail:
            end = complete(block)
            if end == len(block):
                return block
            tail += block[end:]
            return block[:end]
        before = bytes(tail[-_OVERLAP:]).lstrip(b"\r\n")  # a line break at the front would look like a blank line
        end = complete(before + block) - len(before)
        if end <= 0:
            tail += block
            if len(tail) > MAX_EVENT:
                raise VendorProtocolError(detail="an endless event")
            return b""
        ready = bytes(tail) + block[:end]
        tail[:] = block[end:]
        return ready
