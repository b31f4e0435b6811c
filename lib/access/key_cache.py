"""What a worker remembers of keys it looked up, so that a call costs no query and a revoke is soon known."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lib.base.errors import StoreUnavailable
from lib.telemetry import get_logger

log = get_logger("aiproxy.access")
FRESH = 2.0  # seconds that an answer of the store is taken for the truth
GRACE = 60.0  # seconds that a found key stays good while the store is down
MOST = 10_000  # answers of either kind that are kept; the oldest go first

T = TypeVar("T")


@dataclass(slots=True)
class _Answer(Generic[T]):
    """What the store said when it was asked at `asked`; nobody asks again before `fresh_until`."""

    found: T | None
    asked: float
    fresh_until: float


class KeyCache(Generic[T]):
    """Answers by hash. One call at a time asks the store again; the others go on with the last answer."""

    def __init__(self, look: Callable[[str], T | None], clock: Callable[[], float] = time.monotonic) -> None:
        """`look` asks the store. `clock` is in seconds."""
        self._look = look
        self._clock = clock
        self._found: OrderedDict[str, _Answer[T]] = OrderedDict()
        self._absent: OrderedDict[str, _Answer[T]] = OrderedDict()  # apart: guesses must not push out keys

    def get(self, digest: str) -> T | None:
        """What this hash leads to. Raises `StoreUnavailable` when the store is down and no answer is good enough."""
        now = self._clock()
        last = self._found.get(digest) or self._absent.get(digest)
        if last is not None:
            if now < last.fresh_until:
                return last.found
            last.fresh_until = max(now, min(now + FRESH, last.asked + GRACE))
        try:
            found = self._look(digest)
        except StoreUnavailable as error:
            if last is None or last.found is None or now - last.asked >= GRACE:
                raise
            log.warning("a cached key goes on: the key store is not available", detail=error.detail)
            return last.found
        self._keep(digest, _Answer(found, now, now + FRESH))
        return found

    def _keep(self, digest: str, answer: _Answer[T]) -> None:
        self._found.pop(digest, None)
        self._absent.pop(digest, None)
        among = self._absent if answer.found is None else self._found
        among[digest] = answer
        if len(among) > MOST:
            among.popitem(last=False)
