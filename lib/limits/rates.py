"""Requests and tokens a minute: each caller's use of them, counted by sliding windows that all workers share."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from time import monotonic
from typing import Literal

from limits import RateLimitItemPerMinute

from lib.base.errors import StoreUnavailable
from lib.limits.taken import Counted, Kind, Taken, limited, too_large
from lib.stores import Counters, Hit
from lib.telemetry import get_logger

LOG_SECONDS = 1.0  # between two lines about a store that is down
KEYS_KNOWN = 4096
REQUEST = 1

log = get_logger("aiproxy.rates")


class Rates:
    """Takes from a caller's rates and corrects what it took.

    `on_failure` says what becomes of calls while the counters are down. `on_unavailable` is told each time;
    `unavailable` is how often that was. Seconds are those of `clock`.
    """

    def __init__(
        self,
        counters: Counters,
        on_failure: Literal["refuse", "allow"] = "allow",
        clock: Callable[[], float] = monotonic,
        on_unavailable: Callable[[], None] | None = None,
    ) -> None:
        self.unavailable = 0
        self._counters = counters
        self._refuses = on_failure == "refuse"
        self._clock = clock
        self._on_unavailable = on_unavailable
        self._next_line = float("-inf")

    def take(self, owner: str, rpm: int | None, tpm: int | None, tokens: int) -> Taken:
        """Count one request and `tokens` tokens of `owner`, both or neither; None is no limit.

        Raises `RateLimited` when one does not fit, and `StoreUnavailable` when the counters are down and that refuses.
        """
        asked = _asked(owner, rpm, tpm, tokens)
        if not asked:
            return Taken()
        for kind, hit in asked:
            if hit.amount > hit.limit:
                raise too_large(kind, hit)
        try:
            refused, windows = self._counters.take([hit for _, hit in asked])
        except StoreUnavailable as error:
            self._failed(error)
            if self._refuses:
                raise
            return Taken()
        pairs = zip(asked, windows, strict=True)
        taken = Taken([Counted(kind, hit, window, hit.amount) for (kind, hit), window in pairs])
        if refused:
            raise limited(taken, refused)
        return taken

    def correct(self, taken: Taken, tokens_used: int) -> None:
        """Give back what was reserved and not used, or take what was used beyond, over the limit if need be.

        The count that changes is that of the window in which the tokens were reserved, for as long as it has a
        weight; later there is nothing to correct. May be called again as more becomes known. Never raises for a
        store that is down.
        """
        counted = taken.tokens
        used = max(0, tokens_used)
        if counted is None or used == counted.amount:
            return
        try:
            self._counters.correct(counted.hit, counted.window.mark, used - counted.amount)
        except StoreUnavailable as error:
            self._failed(error)
        else:
            counted.amount = used

    def _failed(self, error: StoreUnavailable) -> None:
        self.unavailable += 1
        if self._on_unavailable is not None:
            self._on_unavailable()
        now = self._clock()
        if now >= self._next_line:
            self._next_line = now + LOG_SECONDS
            log.warning(
                "rates cannot be counted", calls="refused" if self._refuses else "allowed", detail=error.detail,
                failures=self.unavailable,
            )  # fmt: skip


def _asked(owner: str, rpm: int | None, tpm: int | None, tokens: int) -> list[tuple[Kind, Hit]]:
    asked: list[tuple[Kind, Hit]] = []
    if rpm is not None:
        asked.append(("requests", _hit("requests", owner, rpm, REQUEST)))
    if tpm is not None:
        asked.append(("tokens", _hit("tokens", owner, tpm, tokens)))
    return asked


def _hit(kind: Kind, owner: str, limit: int, amount: int) -> Hit:
    return Hit(*_named(kind, owner, limit), amount)


@lru_cache(KEYS_KNOWN)
def _named(kind: Kind, owner: str, limit: int) -> tuple[str, int, int]:
    """The key, the limit and the seconds as `limits` has them."""
    item = RateLimitItemPerMinute(limit, namespace=kind)
    return item.key_for(owner), item.amount, item.get_expiry()
