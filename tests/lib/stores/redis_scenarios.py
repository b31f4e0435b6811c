"""What test_redis.py lets a patched process do. Each function returns what its test looks at."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import time
from typing import Any

import gevent

from lib.base.errors import StoreUnavailable
from lib.stores import Hit
from lib.stores.redis import RedisCounters

HIT = Hit("requests/ada", 1000, 60, 1)


def _unavailable(counters: RedisCounters) -> bool:
    try:
        counters.take((HIT,))
    except StoreUnavailable:
        return True
    return False


def many_calls(url: str, number: int) -> dict[str, Any]:
    """Calls in greenlets, while another greenlet watches that the worker goes on."""
    counters = RedisCounters(url, 2.0)
    gaps, started = [0.0], time.monotonic()

    def watch() -> None:
        while True:
            before = time.monotonic()
            gevent.sleep(0.01)
            gaps.append(time.monotonic() - before)

    watcher = gevent.spawn(watch)
    calls = [gevent.spawn(_unavailable, counters) for _ in range(number)]
    gevent.joinall(calls)
    watcher.kill()
    seconds = time.monotonic() - started
    counters.close()
    return {
        "unavailable": sum(call.value for call in calls),
        "seconds": seconds,
        "longest_standstill": max(gaps),
    }


def calls_of_a_busy_worker(url: str, number: int) -> dict[str, Any]:
    """Calls in greenlets, in a worker that computes for longer than the timeout between two looks at its sockets."""
    counters = RedisCounters(url, 2.0)

    def compute() -> None:
        for _ in range(4):
            end = time.monotonic() + 0.4
            while time.monotonic() < end:
                pass
            gevent.sleep(0)

    _unavailable(counters)
    busy = gevent.spawn(compute)
    calls = [gevent.spawn(_unavailable, counters) for _ in range(number)]
    gevent.joinall([busy, *calls])
    opened = counters._breaker.open
    counters.close()
    return {"unavailable": sum(call.value for call in calls), "open": opened}


def a_crowd_with_tls(url: str, trusted: str, number: int) -> dict[str, int]:
    """Calls in greenlets, on connections with TLS; how often the authorities at `trusted` were read for them."""
    os.environ["SSL_CERT_FILE"] = trusted
    read, make = [], ssl.create_default_context
    ssl.create_default_context = lambda: read.append(make()) or read[-1]  # type: ignore[func-returns-value]
    counters = RedisCounters(url, 2.0)
    calls = [gevent.spawn(_unavailable, counters) for _ in range(number)]
    gevent.joinall(calls)
    ssl.create_default_context = make
    kept = len(counters._pool._connections)
    counters.close()
    return {"unavailable": sum(call.value for call in calls), "read": len(read), "connections": kept}


def a_host_that_is_looked_up_for_long() -> list[str]:
    """Why calls fail while the name service is silent, and the seconds they took."""
    counters = RedisCounters("redis://redis.test:6379", 2.0)
    hub, started, reasons = gevent.get_hub(), time.monotonic(), []
    resolver, hub.resolver = hub.resolver, _Silent()
    for _ in range(20):
        try:
            counters.take((HIT,))
        except StoreUnavailable as error:
            reasons.append(str(error.detail))
    hub.resolver = resolver
    return [*reasons[:2], "soon" if time.monotonic() - started < 1 else "late"]


class _Silent:
    def getaddrinfo(self, *_: Any, **__: Any) -> None:
        gevent.sleep(30)


def leaving(url: str) -> list[int]:
    """Counts that calls saw, between others that were broken off while they waited for their answer."""
    counters = RedisCounters(url, 2.0)
    seen = []
    for key in ("a", "b", "c"):
        seen.append(counters.take((HIT._replace(key="one"),)).windows[0].current)
        left = gevent.spawn(counters.take, (HIT._replace(key=key, amount=100),))
        gevent.sleep(0.05)
        left.kill()
    counters.close()
    return seen


def loaded_by_the_front_door() -> list[str]:
    """Which of the modules that bind sockets `lib.stores` and `lib.limits` load."""
    code = "import sys, lib.stores, lib.limits; print(*{'redis', 'psycopg'} & set(sys.modules))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
