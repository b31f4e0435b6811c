"""Noticing that a client has closed its connection, while the server waits for a vendor."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.monkey import get_original

from lib.net.wait import Among

READ = 1  # libev's EV_READ
GLANCE_SECONDS = 0.5  # between looks at a connection on which unread data hide its end
_HANG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR | select.POLLNVAL

_poll = get_original("select", "poll")


def has_left(sock: Any) -> bool:
    """Whether a client has closed its connection, or its sending side, whatever is still unread."""
    return bool(_state(sock) & _HANG_UP)


class ClientWatch:
    """Watches one client's socket from the event loop; costs nothing while the client is silent.

    A client that closes, or shuts its sending side, counts as gone. While something that it sent is unread (the
    rest of an upload, a pipelined request) its end is looked for twice a second. Runs `on_leave`'s callback in the
    loop: it must not block. Until it is closed, it is one of `among`.
    """

    def __init__(self, sock: Any, among: Among | None = None) -> None:
        self.gone = False
        self.ended = False
        self._sock = sock
        self._among = set() if among is None else among
        self._act: Callable[[], None] | None = None
        self._left = Event()
        loop = gevent.get_hub().loop
        self._readable = loop.io(sock.fileno(), READ)
        self._readable.start(self._look)
        self._glance: Any = None
        self._among.add(self)

    def on_leave(self, act: Callable[[], None]) -> None:
        """Run `act` when the client leaves or is told to, at once if that has happened. The latest `act` counts."""
        self._act = act
        if self.gone or self.ended:
            act()

    def pause(self, seconds: float) -> None:
        """Sleep `seconds`, or until the client leaves or is told to."""
        self._left.wait(seconds)

    def end(self) -> None:
        """There is no more time for this client: the same as if it left, but `ended` and not `gone`."""
        self.ended = True
        self._wake()

    def close(self) -> None:
        """Stop watching."""
        self._among.discard(self)
        self._act = None
        self._readable.close()
        self._stop_glancing()

    def _look(self) -> None:
        """Something has arrived, or it is time to look again."""
        state = _state(self._sock)
        if state & _HANG_UP:
            self._leave()
        elif not state:  # somebody has read it
            self._stop_glancing()
            self._readable.start(self._look)
        elif self._glance is None:
            self._readable.stop()
            self._glance = gevent.get_hub().loop.timer(GLANCE_SECONDS, GLANCE_SECONDS)
            self._glance.start(self._look)

    def _stop_glancing(self) -> None:
        if self._glance is not None:
            self._glance.close()
            self._glance = None

    def _leave(self) -> None:
        self._readable.stop()
        self._stop_glancing()
        self.gone = True
        self._wake()

    def _wake(self) -> None:
        self._left.set()
        if self._act is not None:
            self._act()


class NoWatch:
    """For servers that do not show their socket: the client is taken to stay."""

    gone = ended = False

    def on_leave(self, act: Callable[[], None]) -> None:
        """Nothing is watched."""

    def pause(self, seconds: float) -> None:
        """Sleep `seconds`."""
        gevent.sleep(seconds)

    def close(self) -> None:
        """Nothing to stop."""


def _state(sock: Any) -> int:
    """What the kernel says of a connection without waiting: 0 when nothing is unread and it is open."""
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN | _HANG_UP)
    found: list[tuple[int, int]] = poll.poll(0)
    return found[0][1] if found else 0
