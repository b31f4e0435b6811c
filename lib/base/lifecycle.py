"""Where a worker is between its start and its end."""

from __future__ import annotations

from typing import Literal, Protocol

State = Literal["starting", "ready", "waiting", "draining"]


class Endable(Protocol):
    """Something that waits, and can be told that there is no more time."""

    def end(self) -> None:
        """Come to an end now. Must not block."""


class Lifecycle:
    """`state` says whether new traffic is welcome. A worker that drains never becomes ready again; one that waits
    for a store that it cannot do without does when it is back.

    What is added is told when the worker can wait no longer; what comes later than that, at once.
    """

    def __init__(self) -> None:
        self.state: State = "starting"
        self._waiting: set[Endable] = set()
        self._ended = False

    def ready(self) -> None:
        """Everything is made; traffic may come."""
        if self.state == "starting":
            self.state = "ready"

    def depend(self, *, met: bool) -> None:
        """Whether the store that is needed answers."""
        if met and self.state == "waiting":
            self.state = "ready"
        elif not met and self.state == "ready":
            self.state = "waiting"

    def drain(self) -> None:
        """The worker was told to stop: balancers should send traffic elsewhere."""
        self.state = "draining"

    def end(self) -> None:
        """The grace is over: everything that still waits ends now."""
        self._ended = True
        for each in list(self._waiting):
            each.end()

    def add(self, each: Endable) -> None:
        """Something waits."""
        self._waiting.add(each)
        if self._ended:
            each.end()

    def discard(self, each: Endable) -> None:
        """It waits no longer."""
        self._waiting.discard(each)
