"""From the first content to the last byte: what a caller reads of a stream.

The server iterates over it and closes it, whatever happens. Only whole events
go out, so a ping or an error event never lands inside one. All that has
arrived from the vendor goes out in one block: the busier the worker, the
fewer writes an event costs.
"""

from __future__ import annotations

from errno import ECONNRESET
from time import monotonic, time

from lib.base.errors import (
    AIProxyError,
    ClientGone,
    DeadlineExceeded,
    Draining,
    VendorProtocolError,
    VendorTimeout,
)
from lib.gateway.call import Call, Produced
from lib.gateway.faults import clean
from lib.gateway.opening import Opening
from lib.gateway.outgoing import wants_usage
from lib.gateway.settle import Settler
from lib.gateway.trial import Opened
from lib.wire import (
    DONE,
    PING,
    StreamTranslator,
    UsageWatch,
    ends,
    error_event,
    events,
    is_sound,
    nearly_ends,
    until_error,
    without_usage,
)

_DONE_UNFINISHED = (b"data: [DONE]", b"data:[DONE]")  # some vendors leave out the last blank line


class Stream:
    """The body of a streamed answer: an iterator of bytes that settles the call when closed.

    Made with what an `Opening` found, or, when a vendor is silent for long, with the opening
    itself: then pings go out until content comes.
    """

    def __init__(self, call: Call, opening: Opening, opened: Opened | None, settler: Settler, ping: float) -> None:
        self._call = call
        self._opening = opening
        self._settler = settler
        self._ping = ping
        self._opened: Opened | None = None
        self._translator: StreamTranslator | None = None
        self._usage: UsageWatch | None = None
        self._last = monotonic()
        self._finished = False  # the vendor said that this was all, or nearly so
        self._over = False  # nothing more is read
        self._first = opened
        self._pending = PING if opened is None else b""
        settler.stream_opened()

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> bytes:
        """The next block. A failure becomes an event, or a broken connection where events cannot be."""
        while not self._pending:
            if self._over:
                raise StopIteration
            try:
                self._pending = self._next()
            except ClientGone:
                self._pending = self._aborted()
            except AIProxyError as error:
                self._pending = self._failure(error)
        block, self._pending = self._pending, b""
        return block

    def close(self) -> None:
        """Let go of the vendor and settle. Closing before the end cancels the vendor's work."""
        record = self._call.record
        if not record.settled:
            self._settler.stream_closed()
        self._opening.close()
        for opened in (self._first, self._opened):
            if opened is not None:
                opened.answer.close()
        self._first = self._opened = None
        if self._usage is not None:
            record.usage, record.usage_is_final = self._usage.usage, self._usage.final
            record.produced = Produced(self._usage.pieces, self._usage.content)
        record.gone |= not self._over
        self._over = True
        self._settler.settle(record)

    def _next(self) -> bytes:
        if self._opened is not None:
            return self._read(self._opened)
        if self._first is not None:
            return self._take(self._first)
        opened = self._opening.step(monotonic() + self._ping)
        if opened is None:
            return PING
        if opened.kind != "events":
            opened.answer.close()
            raise VendorProtocolError(detail="asked for a stream, got a whole answer")
        return self._take(opened)

    def _take(self, opened: Opened) -> bytes:
        """Go over to an answer that shows content; what of it may go out at once."""
        self._opened, self._first = opened, None
        self._last = monotonic()
        if opened.kind != "events":
            return opened.block
        self._usage = UsageWatch(opened.place.dialect, opened.sending.outgoing.path.shape)
        between = opened.sending.translation
        if between is not None:
            model = self._call.record.model_asked or opened.place.model
            self._translator = between.stream(include_usage=wants_usage(self._call), created=int(time()), model=model)
        block, opened.block = opened.block, b""
        return self._events(opened, block)

    # ---- content ----

    def _read(self, opened: Opened) -> bytes:
        """What the vendor sends next, or a ping while it is silent."""
        now = monotonic()
        if now >= self._call.deadline:
            raise DeadlineExceeded
        idle_until = self._last + (opened.place.timeouts.idle or float("inf"))
        until = min(now + self._ping, idle_until, self._call.deadline)
        block = opened.answer.read(max(0.0, until - now))
        if block is None:
            now = monotonic()
            if now >= self._call.deadline:
                raise DeadlineExceeded
            if now >= idle_until:
                raise VendorTimeout("The model provider stopped sending.", detail="silent for too long")
            return PING if opened.kind == "events" else b""
        self._last = monotonic()
        if opened.kind != "events":
            self._over = not block
            return block
        if not block:
            return self._finish(opened)
        ready = opened.coming.feed(block)
        return self._events(opened, ready) if ready else b""

    def _events(self, opened: Opened, block: bytes) -> bytes:
        """Complete events as the caller gets them."""
        assert self._usage is not None
        before = self._usage.usage
        self._usage.see(block)
        if opened.sending.strip_usage and self._usage.usage is not before:
            block = without_usage(block)
        shape = opened.sending.outgoing.path.shape
        if not is_sound(block):
            block, error = until_error(shape, block, opened.place.provider.name)
            if error is not None:
                return self._handed_on(opened, block) + self._failure(error)
        self._finished = self._finished or ends(shape, block) or nearly_ends(block)
        return self._handed_on(opened, block)

    def _handed_on(self, opened: Opened, block: bytes) -> bytes:
        if self._translator is not None:
            return b"".join([self._translator.feed(event) for event in events(block)])
        return block

    def _finish(self, opened: Opened) -> bytes:
        """The vendor's answer is over: rightly, or cut short."""
        tail = opened.coming.tail.strip()
        last = self._events(opened, DONE) if tail in _DONE_UNFINISHED else b""
        if not self._finished or (tail and tail not in _DONE_UNFINISHED):
            raise VendorProtocolError("The model provider's answer ended early.", detail="no last event")
        self._over = True
        return last + self._translator.finish() if self._translator is not None else last

    def _aborted(self) -> bytes:
        """Nobody reads on, or the server can wait no longer and says so."""
        error = self._call.aborted()
        if not isinstance(error, ClientGone):
            return self._failure(error)
        self._call.record.gone = self._over = True
        return b""

    def _failure(self, error: AIProxyError) -> bytes:
        """The well-formed event that ends a stream with an error, in the caller's dialect."""
        self._over = True
        error.provider = error.provider or self._call.record.provider
        clean(error, self._call.credential)
        self._call.record.failed(error)
        if self._opened is not None:
            if not isinstance(error, Draining):
                self._settler.attempt_failed(error, self._call.record)
            if self._opened.kind != "events":
                raise ConnectionResetError(ECONNRESET, "the answer was cut short") from error
        path = self._call.path
        return error_event(path.dialect, path.shape, error.status, error.message, error.code, error.param)
