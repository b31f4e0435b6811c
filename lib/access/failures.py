"""Failed authentications, slowed by address. Kept in the worker's memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from lib.access.addresses import failure_key
from lib.base.errors import RateLimited

MAX_ADDRESSES = 10_000  # the longest untouched are forgotten first


@dataclass(slots=True)
class _Bucket:
    """What an address may still fail, as of a moment."""

    left: float
    at: float


class Failures:
    """A token bucket for each address: `limit` failures at once, refilled over `seconds`.

    It is asked after a failure, never before a check: a valid credential always gets in, so that
    nobody can lock out others behind the same NAT.
    """

    def __init__(
        self,
        limit: int = 10,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        max_addresses: int = MAX_ADDRESSES,
    ) -> None:
        self._limit, self._rate, self._clock = limit, limit / seconds, clock
        self._max_addresses = max_addresses
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Addresses that are remembered."""
        return len(self._buckets)

    def failed(self, address: str | None) -> None:
        """Count one more failure from `address`. Raises `RateLimited`, with retry_after, when it was one too many."""
        bucket = self._refilled(failure_key(address))
        if bucket.left < 1:
            raise RateLimited(retry_after=(1 - bucket.left) / self._rate, detail="failed authentications")
        bucket.left -= 1

    def _refilled(self, key: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(self._limit, now))
        self._buckets.move_to_end(key)
        bucket.left = min(self._limit, bucket.left + max(0.0, now - bucket.at) * self._rate)
        bucket.at = now
        while len(self._buckets) > self._max_addresses:
            self._buckets.popitem(last=False)
        return bucket
