"""A store that failed is left alone for a moment, so that one call pays for a failure and not every call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import monotonic

from lib.base.errors import AIProxyError, StoreNotAsked, StoreUnavailable

PAUSE_SECONDS = 3.0


class Breaker:
    """Turns calls away from a store for `pause` seconds after a failure; then one call at a time probes it.

    Within one worker. Seconds are those of `clock`.
    """

    def __init__(self, pause: float = PAUSE_SECONDS, clock: Callable[[], float] = monotonic) -> None:
        self._pause = pause
        self._clock = clock
        self._until: float | None = None  # None while the store works
        self._probing = False
        self._question = _Question(self)
        self._probe = _Probe(self)

    @property
    def open(self) -> bool:
        """Whether a call would be turned away now."""
        return self._until is not None and (self._probing or self._clock() < self._until)

    def check(self) -> None:
        """Raise `StoreNotAsked` at once when a call would be turned away."""
        if self.open:
            raise StoreNotAsked(detail="not asked: it failed a moment ago")

    def asked(self) -> AbstractContextManager[None]:
        """Around a question to the store: its `StoreUnavailable` is a failure, any other error of ours an answer.

        What else ends the block (no turn in time, the caller left) says nothing. Raises `StoreNotAsked` at once when
        turned away.
        """
        if self._until is None:
            return self._question
        self.check()
        return self._probe

    def probing(self, probing: bool) -> None:
        """A probe begins or ends."""
        self._probing = probing

    def answered(self, error: BaseException | None) -> None:
        """What a question ended with."""
        if error is None:
            self._until = None
        elif isinstance(error, StoreUnavailable):
            if not isinstance(error, StoreNotAsked):
                self._until = self._clock() + self._pause
        elif isinstance(error, AIProxyError):
            self._until = None


class _Question:
    """Around one question; a class, as each call asks several times and a generator costs five times as much."""

    __slots__ = ("_breaker",)

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._breaker.answered(error)


class _Probe(_Question):
    """Around the only question at a time that a store is asked after a failure."""

    __slots__ = ()

    def __enter__(self) -> None:
        self._breaker.probing(True)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._breaker.answered(error)
        self._breaker.probing(False)
