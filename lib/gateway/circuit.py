"""Who rests: a vendor that keeps failing, or that asked for patience, is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from lib.base import Rest

MAX_KNOWN = 1000  # names remembered at once; the oldest is forgotten first


@dataclass(slots=True)
class _State:
    failures: int = 0
    rests: int = 0
    until: float = 0.0
    trial: bool = False


class Circuit:
    """Counts failures in a row by name, within this worker. Seconds are those of `clock`.

    After `rest.failures` in a row a name rests, twice as long each time. When the rest is over one
    trial is let through: its success ends the matter, its failure begins the next rest. A trial that
    takes long lets another one through after `rest.seconds`.
    """

    def __init__(self, rest: Rest, clock: Callable[[], float] = monotonic) -> None:
        self._rest = rest
        self._clock = clock
        self._states: dict[str, _State] = {}

    def wait(self, key: str) -> float:
        """Seconds until `key` may be tried; 0.0 when it may now. The answer 0.0 may be the one trial."""
        state = self._states.get(key)
        if state is None or state.until == 0.0:
            return 0.0
        left = state.until - self._clock()
        if left > 0:
            return left
        if state.failures >= self._rest.failures:
            state.trial = True
            state.until = self._clock() + self._rest.seconds
        return 0.0

    def rests(self, key: str) -> bool:
        """Whether `key` keeps failing: a pause that the vendor asked for is no rest."""
        state = self._states.get(key)
        return state is not None and state.failures >= self._rest.failures

    def failed(self, key: str) -> float:
        """A fault of the vendor. Faults of the caller do not count. Seconds of the rest that begins now, or 0.0."""
        state = self._state(key)
        if state.failures >= self._rest.failures and state.until > self._clock() and not state.trial:
            return 0.0  # a call that began before the rest says nothing new
        state.failures += 1
        state.trial = False
        if state.failures < self._rest.failures:
            return 0.0
        pause: float = min(self._rest.longest, self._rest.seconds * 2 ** min(state.rests, 16))
        state.rests += 1
        state.until = self._clock() + pause
        return pause

    def paused(self, key: str, seconds: float) -> None:
        """The vendor named a time (Retry-After): nothing is sent before."""
        state = self._state(key)
        state.until = max(state.until, self._clock() + min(seconds, self._rest.longest))

    def succeeded(self, key: str) -> None:
        """An answer: whatever was counted is forgotten."""
        self._states.pop(key, None)

    def let_go(self, key: str) -> None:
        """A trial that ended without a verdict (the client left): the next call may try."""
        state = self._states.get(key)
        if state is not None and state.trial:
            state.trial = False
            state.until = self._clock()

    def _state(self, key: str) -> _State:
        state = self._states.get(key)
        if state is None:
            if len(self._states) >= MAX_KNOWN:
                del self._states[next(iter(self._states))]
            state = self._states[key] = _State()
        return state
