"""What the upstream knows: the calls it saw, the behaviours that are planned, its own complaints."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import count

from tests.upstream.behaviours import for_model
from tests.upstream.reading import Head
from tests.upstream.record import Call
from tests.upstream.steps import Behaviour


class Book:
    """Shared by the threads of all connections. Each change is a single append, pop or assignment."""

    def __init__(self, observe: Callable[[Call], None] | None = None) -> None:
        self.calls: list[Call] = []
        self.planned: deque[Behaviour] = deque()
        self.complaints: list[str] = []
        self.stopping = False
        self._observe = observe
        self._numbers = count(1)

    def open(self, head: Head, connection: int) -> Call:
        """A new call, its body still to come."""
        call = Call(next(self._numbers), connection, head.method, head.target, head.headers, time.monotonic())
        self.calls.append(call)
        return call

    def next_planned(self) -> Behaviour | None:
        """The behaviour that was planned for this call, if any."""
        try:
            return self.planned.popleft()
        except IndexError:
            return None

    def behaviour(self, call: Call) -> Behaviour:
        """The behaviour that the call's model asks for."""
        return for_model(call.model)

    def ended(self, call: Call) -> None:
        """The server has finished with the call."""
        call.ended_at = time.monotonic()
        self._tell(call)

    def left(self, call: Call) -> None:
        """The client left before the end; not counted when the server itself is being stopped."""
        if self.stopping or not call.live:
            return
        call.left_at = time.monotonic()
        self._tell(call)

    def complain(self, words: str) -> None:
        """Note a fault of the client's protocol, or of ours: a test must not pass over it."""
        self.complaints.append(words)

    def _tell(self, call: Call) -> None:
        if self._observe:
            self._observe(call)
