"""Noticing that a client has closed its connection, while the server waits for a vendor."""

from __future__ import annotations

from collections.abc import Callable
from socket import MSG_DONTWAIT, MSG_PEEK
from typing import Any

import gevent
from gevent.event import Event

READ = 1  # libev's EV_READ


class ClientWatch:
    """Watches one client's socket from the event loop; costs nothing while the client stays.

    A client that closes, or shuts its sending side, counts as gone. One that sends more (a
    pipelined request) is no longer watched. Runs `on_leave`'s callback in the loop: it must not block.
    """

    def __init__(self, sock: Any) -> None:
        self.gone = False
        self._sock = sock
        self._act: Callable[[], None] | None = None
        self._left = Event()
        self._watcher = gevent.get_hub().loop.io(sock.fileno(), READ)
        self._watcher.start(self._readable)

    def on_leave(self, act: Callable[[], None]) -> None:
        """Run `act` when the client leaves, at once if it has left. The latest `act` counts."""
        self._act = act
        if self.gone:
            act()

    def pause(self, seconds: float) -> None:
        """Sleep `seconds`, or until the client leaves."""
        self._left.wait(seconds)

    def close(self) -> None:
        """Stop watching."""
        self._act = None
        self._watcher.stop()
        self._watcher.close()

    def _readable(self) -> None:
        try:
            waiting = self._sock.recv(1, MSG_PEEK | MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            waiting = b""
        self._watcher.stop()
        if waiting:
            return
        self.gone = True
        self._left.set()
        if self._act is not None:
            self._act()


class NoWatch:
    """For servers that do not show their socket: the client is taken to stay."""

    gone = False

    def on_leave(self, act: Callable[[], None]) -> None:
        """Nothing is watched."""

    def pause(self, seconds: float) -> None:
        """Sleep `seconds`."""
        gevent.sleep(seconds)

    def close(self) -> None:
        """Nothing to stop."""
