"""Counters on either store, with a clock that a test moves."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import redis

from lib.stores import Breaker, Counters
from lib.stores.counters import SqliteCounters
from lib.stores.redis import RedisCounters
from tests.servers import Redis

NOON = 1_800_000_000.0  # the begin of a minute
AGE = """
for _, key in ipairs(redis.call('keys', '*')) do
  local left = redis.call('pttl', key) - tonumber(ARGV[1])
  if left > 0 then redis.call('pexpire', key, left) else redis.call('del', key) end
end
"""


class SqliteShared:
    """A file whose clock stands still between the moves of a test."""

    slack = 0.0  # seconds that may pass by themselves

    def __init__(self, path: Path) -> None:
        self._path = path
        self._now = NOON
        self.counters: Any = self.another()

    def another(self) -> Counters:
        """The same counters as another worker has them."""
        return SqliteCounters(self._path, 2.0, clock=lambda: self._now)

    def advance(self, seconds: float) -> None:
        self._now += seconds

    def close(self) -> None:
        self.counters.close()


class RedisShared:
    """A Redis whose keys a test makes older. Its own clock goes on."""

    slack = 2.0

    def __init__(self, server: Redis) -> None:
        self.url = server.url[:-1] + "9"
        self.client = redis.Redis.from_url(self.url)
        self.client.flushdb()
        self._ahead = 0.0
        self.counters: Any = self.another()

    def another(self) -> Counters:
        """The same counters as another worker has them."""
        return RedisCounters(self.url, 2.0, clock=lambda: time.monotonic() + self._ahead, breaker=Breaker(pause=0.5))

    def advance(self, seconds: float) -> None:
        self._ahead += seconds
        self.client.eval(AGE, 0, round(seconds * 1000))

    def close(self) -> None:
        self.counters.close()
        self.client.close()


Shared = SqliteShared | RedisShared
