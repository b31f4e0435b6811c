"""A store that failed is left alone for a moment, so that one call pays for a failure and not every call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

    @property
    def open(self) -> bool:
        """Whether a call would be turned away now."""
        return self._until is not None and (self._probing or self._clock() < self._until)

    def check(self) -> None:
        """Raise `StoreNotAsked` at once when a call would be turned away."""
        if self.open:
            raise StoreNotAsked(detail="not asked: it failed a moment ago")

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Around a question to the store: its `StoreUnavailable` is a failure, any other error of ours an answer.

        What else ends the block (no turn in time, the caller left) says nothing. Raises `StoreNotAsked` at once when
        turned away.
        """
        self.check()
        probe = self._probing = self._until is not None
        try:
            yield
        except StoreNotAsked:
            raise
        except StoreUnavailable:
            self._until = self._clock() + self._pause
            raise
        except AIProxyError:
            self._until = None
            raise
        else:
            self._until = None
        finally:
            if probe:
                self._probing = False
