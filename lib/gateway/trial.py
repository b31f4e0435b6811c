"""One attempt at one place, up to its first content."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from lib.base.errors import AIProxyError, VendorProtocolError, VendorTimeout
from lib.gateway.choose import Place
from lib.gateway.faults import refusal
from lib.gateway.outgoing import Sending
from lib.providers import Answer
from lib.wire import bears_content, complete, error_in_body, events

MAX_WHOLE = 64 * 1024 * 1024  # bytes of an answer that is not streamed
MAX_EVENT = 8 * 1024 * 1024  # bytes of one event, and of what is held back before content
MAX_REFUSAL = 64 * 1024  # bytes of an error body that are read


@dataclass(slots=True)
class Opened:
    """An answer that shows content. `kind`: `events`, `bytes`, or `whole` (then `block` is all of it).

    `block` holds what may go out at once, `tail` the beginning of an event that is not complete.
    """

    answer: Answer
    place: Place
    sending: Sending
    kind: str
    block: bytes
    tail: bytes = b""


class Trial:
    """An open answer, read until it shows content or fails."""

    def __init__(self, place: Place, sending: Sending) -> None:
        self.place = place
        self._sending = sending
        self._shape = sending.outgoing.path.shape
        self._buffer = bytearray()
        self._scanned = 0
        self._kind: str | None = None
        limit = place.timeouts.first_byte
        self.give_up_at = monotonic() + limit if limit else float("inf")
        self.answer = place.provider.send(sending.outgoing)

    def advance(self, until: float) -> Opened | None:
        """Read on until the clock shows `until`. None: nothing to show yet. Raises the vendor's fault."""
        if self._kind is None:
            if not self.answer.start(_left(until)):
                self._check_silence()
                return None
            self._kind = _kind(self.answer)
        while True:
            block = self.answer.read(_left(until))
            if block is None:
                self._check_silence()
                return None
            self._buffer += block
            opened = self._look(ended=not block)
            if opened is not None:
                return opened

    def _check_silence(self) -> None:
        if monotonic() >= self.give_up_at:
            raise VendorTimeout(detail="no content in time")

    def _look(self, *, ended: bool) -> Opened | None:
        """What the bytes so far amount to."""
        if not 200 <= self.answer.status < 300:
            if not ended and len(self._buffer) <= MAX_REFUSAL:
                return None
            raise refusal(self.answer.status, self.answer.headers, bytes(self._buffer), self.place.provider.name)
        if self._kind == "events":
            return self._first_content(ended)
        if self._kind == "bytes":
            return self._opened(len(self._buffer))
        if len(self._buffer) > MAX_WHOLE:
            raise VendorProtocolError(detail="the answer is too large")
        return self._whole() if ended else None

    def _first_content(self, ended: bool) -> Opened | None:
        """Hold back what says nothing yet; open at the first event with content."""
        end = complete(self._buffer)
        for event in events(bytes(self._buffer[self._scanned : end])):
            if bears_content(self._shape, event, self.place.provider.name):
                return self._opened(end)
        self._scanned = end
        if ended:
            raise VendorProtocolError("The model provider's answer ended early.", detail="no content in the stream")
        if len(self._buffer) > MAX_EVENT:
            raise VendorProtocolError(detail="an endless event")
        return None

    def _whole(self) -> Opened:
        error: AIProxyError | None = error_in_body(self._shape, bytes(self._buffer), self.place.provider.name)
        if error is not None:
            raise error
        return self._opened(len(self._buffer))

    def _opened(self, end: int) -> Opened:
        assert self._kind is not None
        block, tail = bytes(self._buffer[:end]), bytes(self._buffer[end:])
        return Opened(self.answer, self.place, self._sending, self._kind, block, tail)


def _left(until: float) -> float:
    return max(0.0, until - monotonic())


def _kind(answer: Answer) -> str:
    content_type = next((value for name, value in answer.headers if name == "content-type"), "").lower()
    if content_type.startswith("text/event-stream"):
        return "events"
    if content_type.startswith(("audio/", "image/", "video/", "application/octet-stream")):
        return "bytes"
    return "whole"
