"""One attempt at one place, up to its first content."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from lib.base.errors import AIProxyError, GatewayError, VendorProtocolError, VendorTimeout
from lib.gateway.choose import Place
from lib.gateway.faults import refusal
from lib.gateway.outgoing import Sending
from lib.gateway.whole_events import MAX_EVENT, WholeEvents
from lib.providers import Answer
from lib.wire import bears_content, error_in_body, events

MAX_WHOLE = 64 * 1024 * 1024  # bytes of an answer that is not streamed
MAX_REFUSAL = 64 * 1024  # bytes of an error body that are read
REFUSAL_SECONDS = 5.0  # for which an error body is waited for: its status has said enough


@dataclass(slots=True)
class Opened:
    """An answer that shows content. `kind`: `events`, `bytes`, or `whole` (then `block` is all of it).

    `block` holds what may go out at once; `coming` the beginning of an event that is not complete.
    """

    answer: Answer
    place: Place
    sending: Sending
    kind: str
    block: bytes
    coming: WholeEvents = field(default_factory=WholeEvents)


class Trial:
    """An open answer, read until it shows content or fails.

    `sent` tells whether the vendor has the whole request. `give_up_at` is on the monotonic clock. A whole answer
    that has begun to come may take as long as it likes, as long as it is not silent for longer than the place's `idle`.
    """

    def __init__(self, place: Place, sending: Sending) -> None:
        self.place = place
        self._sending = sending
        self._shape = sending.outgoing.path.shape
        self._buffer = bytearray()
        self._coming = WholeEvents()
        self._kind: str | None = None
        self.sent = isinstance(sending.outgoing.body, bytes)
        self.give_up_at = _after(place.timeouts.first_byte)
        self.answer = place.provider.send(sending.outgoing)

    def advance(self, until: float) -> Opened | None:
        """Read on until the clock shows `until`. None: nothing to show yet. Raises the vendor's fault."""
        if self._kind is None:
            if not self._start(until):
                return None
            self._kind = _kind(self.answer)
            if self._refused:
                self._kind = "refusal"
                self.give_up_at = min(self.give_up_at, _after(REFUSAL_SECONDS))
        while True:
            try:
                block = self.answer.read(_left(min(until, self.give_up_at)))
            except GatewayError:
                if self._kind != "refusal":
                    raise
                block = b""  # cut short, but its status came
            if block is None:
                if self._kind == "refusal" and self._is_late:
                    raise self._refusal()
                self._check_silence()
                return None
            opened = self._look(block)
            if opened is not None:
                return opened

    @property
    def _refused(self) -> bool:
        return not 200 <= self.answer.status < 300

    @property
    def _is_late(self) -> bool:
        return monotonic() >= self.give_up_at

    def _start(self, until: float) -> bool:
        """Wait for the head. An upload is as slow as its caller: the wait begins when it is over."""
        if not self.sent:
            started = self.answer.start(0.0)
            self.sent = True
            if started:
                return True
            self.give_up_at = _after(self.place.timeouts.first_byte)
        if self.answer.start(_left(min(until, self.give_up_at))):
            return True
        self._check_silence()
        return False

    def _check_silence(self) -> None:
        if self._is_late:
            raise VendorTimeout(detail="no content in time")

    def _look(self, block: bytes) -> Opened | None:
        """What the bytes so far amount to. b"" is the end."""
        if self._kind == "events":
            return self._first_content(block)
        if self._kind == "bytes":
            return self._opened(block)
        self._buffer += block
        if self._kind == "refusal":
            if block and len(self._buffer) <= MAX_REFUSAL:
                return None
            raise self._refusal()
        if len(self._buffer) > MAX_WHOLE:
            raise VendorProtocolError(detail="the answer is too large")
        if block:
            self.give_up_at = _after(self.place.timeouts.idle)
            return None
        return self._whole()

    def _first_content(self, block: bytes) -> Opened | None:
        """Hold back what says nothing yet; open at the first event with content."""
        ready = self._coming.feed(block) if block else b""
        self._buffer += ready
        for event in events(ready):
            if bears_content(self._shape, event, self.place.provider.name):
                return self._opened(bytes(self._buffer))
        if not block:
            raise VendorProtocolError("The model provider's answer ended early.", detail="no content in the stream")
        if len(self._buffer) > MAX_EVENT:
            raise VendorProtocolError(detail="a stream without content")
        return None

    def _whole(self) -> Opened:
        body = bytes(self._buffer)
        error: AIProxyError | None = error_in_body(self._shape, body, self.place.provider.name)
        if error is not None:
            raise error
        return self._opened(body)

    def _refusal(self) -> AIProxyError:
        return refusal(self.answer.status, self.answer.headers, bytes(self._buffer), self.place.provider.name)

    def _opened(self, block: bytes) -> Opened:
        assert self._kind is not None
        return Opened(self.answer, self.place, self._sending, self._kind, block, self._coming)


def _left(until: float) -> float:
    return max(0.0, until - monotonic())


def _after(seconds: float | None) -> float:
    return monotonic() + seconds if seconds else float("inf")


def _kind(answer: Answer) -> str:
    content_type = next((value for name, value in answer.headers if name == "content-type"), "").lower()
    if content_type.startswith("text/event-stream"):
        return "events"
    if content_type.startswith(("audio/", "image/", "video/", "application/octet-stream")):
        return "bytes"
    return "whole"
