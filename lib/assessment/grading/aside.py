"""Work on large programs, in a thread beside the event loop: nobody else's call waits for it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from gevent.threadpool import ThreadPool

from lib.base.errors import DeadlineExceeded
from lib.net import Wait

LARGE = 5000  # characters of a program; the parser needs up to 4 ms for a thousand of them
_Made = TypeVar("_Made")


class Aside:
    """One thread, which begins with the first large program."""

    def __init__(self) -> None:
        self._thread: ThreadPool | None = None

    def run(self, work: Callable[[], _Made], size: int, deadline: float) -> _Made:
        """What `work` makes of a program of so many characters. Raises `DeadlineExceeded`."""
        if size <= LARGE:
            return work()
        if self._thread is None:
            self._thread = ThreadPool(1)
        with Wait(deadline - monotonic(), DeadlineExceeded(detail="reading a large program")):
            made: _Made = self._thread.apply(work)
        return made
