"""Waits that are over in time, or when there is no more time for anybody."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal, Protocol

import gevent


class Among(Protocol):
    """Those that can be told to end; a set will do."""

    def add(self, each: Any, /) -> None:
        """One more."""

    def discard(self, each: Any, /) -> None:
        """It needs to be told no longer."""


class Wait(gevent.Timeout):
    """A block that waits. After `seconds` it raises `late`; when told to `end`, it raises `ended` at once.

    False as `late`: the block is left without an error, both ways. Inside the block it is one of `among`.
    """

    def __init__(
        self,
        seconds: float,
        late: BaseException | Literal[False],
        among: Among | None = None,
        ended: BaseException | None = None,
    ) -> None:
        super().__init__(max(0.0, seconds), late)  # type: ignore[arg-type]  # the stubs know classes only
        self._among = set() if among is None else among
        self._ended = ended
        self._greenlet: Any = None  # who is in the block

    def __enter__(self) -> Wait:
        self._greenlet = gevent.getcurrent()
        super().__enter__()
        self._among.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> Literal[True] | None:
        self._greenlet = None
        self._among.discard(self)
        return super().__exit__(kind, value, traceback)

    def end(self) -> None:
        """Make the block end now."""
        gevent.get_hub().loop.run_callback(self._end)

    def _end(self) -> None:
        if self._greenlet is not None:  # else what it waited for has come in the meantime
            self._greenlet.throw(self._ended or self)
