"""Messages that leave later, one after the other, without making anybody wait."""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections import deque
from collections.abc import Callable

WAITING = 100  # messages; further ones are dropped and counted
STEP = 0.02  # seconds between two looks at whether all is sent


class Outbox:
    """Hands messages to `send`, which may take its time, in a thread (a greenlet where gevent patched threads).

    There is at most one such thread, and none while there is nothing to send. A forked process begins
    with an empty outbox.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.dropped = 0
        self._send = send
        self._sending = False
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def put(self, message: bytes) -> None:
        """Send it soon. Never waits, and never raises."""
        with self._lock:
            if len(self._waiting) >= WAITING:
                self.dropped += 1
                return
            self._waiting.append(message)
            if self._sending:
                return
            self._sending = True
        # Not threading.Thread, whose start waits: this may be gevent's hub, which must not.
        _thread.start_new_thread(self._drain, ())

    def flush(self, seconds: float) -> bool:
        """Wait until all is sent, but no longer than this. Whether it is."""
        until = time.monotonic() + seconds
        while self._sending:
            if time.monotonic() >= until:
                return False
            time.sleep(STEP)
        return True

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._sending = False

    def _drain(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._sending = False
                    return
                message = self._waiting.popleft()
            self._send(message)
