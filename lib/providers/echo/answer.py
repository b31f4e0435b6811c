"""An answer that is played: the right bytes at the right time.

A script says what to send and after how long. Everything in it is made when it
is due, so a long stream costs no memory and an aborted one no work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

import gevent
from gevent.event import Event

from lib.base.errors import ClientGone, VendorProtocolError
from lib.providers.base import Headers
from lib.providers.echo.asked import Streamed, Whole
from lib.providers.echo.errors import asked_to_fail
from lib.providers.echo.knobs import Knobs

BLOCK = 16 * 1024  # bytes of due events handed out at once


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes that follow the step before after `pause` seconds. Data of None: the connection is lost there."""

    pause: float
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Script:
    """An answer to be played. `delay` is in seconds, before the head."""

    status: int
    headers: Headers
    delay: float
    steps: Iterator[Step]


def play(answer: Whole | Streamed, knobs: Knobs) -> Iterator[Step]:
    """The steps of an answer, as the knobs want them."""
    return _play_whole(answer.body, knobs) if isinstance(answer, Whole) else _play_stream(answer, knobs)


def _play_whole(body: bytes, knobs: Knobs) -> Iterator[Step]:
    if knobs.cut is None:
        yield Step(knobs.silence, body)
        return
    yield Step(knobs.silence, body[: len(body) // 2])
    yield Step(0, None)


def _play_stream(answer: Streamed, knobs: Knobs) -> Iterator[Step]:
    writer = answer.writer
    yield Step(0, writer.opening())
    sent = 0
    for piece in answer.pieces:
        if sent in (knobs.cut, knobs.error_after):
            break
        yield Step(_pause(knobs, sent), writer.chunk(piece))
        sent += 1
    pause = _pause(knobs, sent)
    if sent == knobs.cut:
        yield Step(pause, None)
    elif sent == knobs.error_after:
        status = knobs.error or 500
        yield Step(pause, writer.failing(status, asked_to_fail(status)))
    else:
        yield Step(pause, writer.closing())


def _pause(knobs: Knobs, sent: int) -> float:
    """How long to wait when so many chunks were sent."""
    return 0 if sent == 0 else knobs.gap + (knobs.silence if sent == 1 else 0)


class EchoAnswer:
    """Plays a script as `lib.providers.base.Answer` describes it.

    Steps are due at fixed times from the head on, so a slow reader gets several at once, as from a
    socket. Waiting is gevent's and works without monkey patching.
    """

    def __init__(self, compose: Callable[[], Script]) -> None:
        self.status = 0
        self.headers: Headers = ()
        self._compose: Callable[[], Script] | None = compose
        self._steps: Iterator[Step] = iter(())
        self._step: Step | None = None
        self._script: Script | None = None
        self._due = 0.0
        self._aborted = Event()
        self._closed = False

    def start(self, patience: float) -> bool:
        """Compose on the first call, then wait for the head. False: `patience` seconds are over."""
        self._check()
        if self._compose is not None:
            self._script, self._compose = self._compose(), None
            self._due = monotonic() + self._script.delay
        if self._script is None:
            return True
        if not self._wait(patience):
            return False
        script, self._script = self._script, None
        self.status, self.headers, self._steps = script.status, script.headers, script.steps
        self._due = monotonic()
        self._advance()
        return True

    def read(self, patience: float) -> bytes | None:
        """All that is due, up to `BLOCK` bytes or so; b"" at the end; None after `patience` silent seconds."""
        self._check()
        while self._step is not None:
            if not self._wait(patience):
                return None
            block = self._take()
            if block:
                return block
        return b""

    def abort(self) -> None:
        """Wake whoever waits; they get `ClientGone`."""
        self._aborted.set()

    def close(self) -> None:
        """Forget the script."""
        self._closed = True
        self._compose = self._script = self._step = None
        self._steps = iter(())

    def _check(self) -> None:
        if self._aborted.is_set():
            raise ClientGone
        if self._closed:
            raise VendorProtocolError(detail="the answer is closed")

    def _wait(self, patience: float) -> bool:
        """Wait until the next thing is due. False: that is later than `patience` seconds from now."""
        left = self._due - monotonic()
        if left <= 0:
            return True
        self._aborted.wait(min(left, patience))
        self._check()
        return left <= patience

    def _take(self) -> bytes:
        """What is due, the step that was waited for included."""
        now = max(monotonic(), self._due)
        block: list[bytes] = []
        size = 0
        while self._step is not None and self._due <= now:
            data = self._step.data
            if data is None:
                if block:
                    break
                raise VendorProtocolError("The model provider's answer ended early.", detail="the echo was cut")
            block.append(data)
            size += len(data)
            self._advance()
            if size >= BLOCK:
                gevent.sleep(0)  # a reader that never waits would keep every other call waiting
                break
        return b"".join(block)

    def _advance(self) -> None:
        self._step = next(self._steps, None)
        if self._step is not None:
            self._due += self._step.pause
