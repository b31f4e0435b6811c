"""An answer that a greenlet of its own makes, handed over in slices.

boto3 blocks until the vendor says something; the gateway wants to look up
every so often. So the call runs beside its reader, which takes what is there.
The greenlet ends with the answer, or is killed by `abort` and `close`; the
connection is closed on its way out and the vendor stops generating.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing

import gevent
from gevent.event import Event

from lib.base.errors import AIProxyError, ClientGone
from lib.providers.base import Headers

LIMIT = 65536  # bytes made ahead of the reader; a slow client slows the vendor down

Head = list[tuple[str, str]]
Make = Callable[[Head], Generator[bytes, None, None]]


class BedrockAnswer:
    """One call and its answer, as `lib.providers.base.Answer` describes it.

    `make` runs the call: it appends to the headers before its first piece, and
    raises errors of `lib.base.errors`. Those before the first piece come out of
    `start`, later ones out of `read` once the pieces before them were taken.
    """

    def __init__(self, content_type: str, make: Make) -> None:
        self.status = 200
        self._head: Head = [("content-type", content_type)]
        self.headers: Headers = self._head
        self._make = make
        self._worker: gevent.Greenlet[[], AIProxyError | None] | None = None
        self._pieces: list[bytes] = []
        self._held = 0
        self._stirred = Event()  # there is something to take, or nothing more will come
        self._room = Event()
        self._gone = False

    # ---- the Answer contract ----

    def start(self, patience: float) -> bool:
        """Send on the first call, then wait for the first piece. False: still silent."""
        if self._worker is None and not self._gone:
            self._worker = gevent.spawn(self._work)
            self._worker.rawlink(lambda _: self._stirred.set())
        if not self._wait(patience):
            return False
        if not self._pieces:
            self._raise_failure()
        return True

    def read(self, patience: float) -> bytes | None:
        """Everything that has arrived; b"" at the end; None after `patience` silent seconds."""
        if not self._wait(patience):
            return None
        if self._pieces:
            return self._take()
        self._raise_failure()
        return b""

    def abort(self) -> None:
        """End the call under whoever waits for it; they get `ClientGone`."""
        self._gone = True
        if self._worker is not None:
            self._worker.kill(block=False)
        self._stirred.set()

    def close(self) -> None:
        """End the call if it still runs, and return when its connection is closed or back in the pool."""
        self.abort()
        if self._worker is not None:
            self._worker.kill()
            self._worker = None  # it refers back to us
        self._pieces.clear()

    # ---- the reader's side ----

    def _wait(self, patience: float) -> bool:
        if not self._gone and not self._stirred.wait(patience):
            return False
        if self._gone:
            raise ClientGone
        return True

    def _take(self) -> bytes:
        block = b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        self._room.set()
        if self._worker is not None and not self._worker.ready():
            self._stirred.clear()
        return block

    def _raise_failure(self) -> None:
        """Raise what ended the call, if it failed. An error that is nobody's doing but ours comes out as it is."""
        failure = self._worker.get(block=False) if self._worker is not None else None
        if failure is not None:
            raise failure

    # ---- the worker's side ----

    def _work(self) -> AIProxyError | None:
        try:
            with closing(self._make(self._head)) as pieces:
                for piece in pieces:
                    self._put(piece)
        except AIProxyError as failure:
            return failure
        return None

    def _put(self, piece: bytes) -> None:
        if not piece:
            return
        while self._held >= LIMIT:
            self._room.clear()
            self._room.wait()
        self._pieces.append(piece)
        self._held += len(piece)
        self._stirred.set()
