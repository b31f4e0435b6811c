"""Work that takes long, in threads beside the event loop: no other call waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, TypeVar

import gevent
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

from lib.base.errors import DeadlineExceeded
from lib.net.wait import Wait

AT_ONCE = 5_000  # the size of what is done on the spot: it takes 10 ms at most
SHORT = 50_000  # the size of what has a lane of its own: it takes 0.1 s at most
_Made = TypeVar("_Made")


class Does(Protocol):
    """Does what takes long; see `Aside.run`."""

    def __call__(self, work: Callable[[], _Made], size: int, deadline: float) -> _Made:
        """What `work` makes."""


class Aside:
    """Two threads, one for short work and one for long, so that nobody with little to do waits behind a crowd of
    large programs. Each begins with its first work, and does one thing after the other."""

    def __init__(self) -> None:
        self._lanes: dict[bool, ThreadPool] = {}
        self._turn = BoundedSemaphore(1)

    def run(self, work: Callable[[], _Made], size: int, deadline: float) -> _Made:
        """What `work` makes, before `deadline` on the monotonic clock. Raises `DeadlineExceeded`, and what it does.

        `size` is that of a program, in characters, of which the parser takes 2 ms for each thousand. Other work says
        which program takes as long.
        """
        if size <= AT_ONCE:
            with self._turn:
                gevent.sleep(0)  # of a crowd that arrives at once, one at a time is in the way of everybody else
                return work()
        with Wait(deadline - monotonic(), DeadlineExceeded(detail="waiting for work aside")):
            made: _Made | _Failed = self._lane(size <= SHORT).apply(_caught, (work, deadline))
        if isinstance(made, _Failed):
            raise made.error
        return made

    def _lane(self, short: bool) -> ThreadPool:
        if short not in self._lanes:
            self._lanes[short] = ThreadPool(1)
        return self._lanes[short]


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


def _caught(work: Callable[[], _Made], deadline: float) -> _Made | _Failed:
    """What fails comes back as a value: gevent writes the traceback of what is raised in its threads to stderr. What
    nobody waits for any more is not begun: it would keep the next one waiting."""
    if monotonic() > deadline:
        return _Failed(DeadlineExceeded())
    try:
        return work()
    except Exception as error:  # noqa: BLE001  raised again, where it is waited for
        return _Failed(error)
