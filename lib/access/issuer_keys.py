"""One issuer's keys, kept: fresh for a while, then used on while others are fetched, and for a day when that fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import gevent
from gevent.event import Event

from lib.access.jwks import FETCH_SECONDS, KeysNotFetched
from lib.access.key_set import Key, pick
from lib.base.errors import IssuerUnavailable
from lib.telemetry import get_logger

STALE_SECONDS = 24 * 3600.0  # after which keys that could not be fetched anew are no longer believed
MISS_SECONDS = 60.0  # between two fetches that an unknown key id asks for
RETRY_SECONDS = 10.0  # between two fetches otherwise
PATIENCE = 2 * FETCH_SECONDS  # for a fetch that others have begun

log = get_logger("aiproxy.access")


@dataclass(frozen=True, slots=True)
class _Held:
    keys: tuple[Key, ...]
    since: float


class IssuerKeys:
    """The keys of one issuer. One fetch at a time, in a greenlet of its own."""

    def __init__(
        self,
        name: str,
        fetch: Callable[[], tuple[Key, ...]],
        fresh_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch` raises `KeysNotFetched`; `name` goes to the log."""
        self._name, self._fetch, self._fresh_seconds, self._clock = name, fetch, fresh_seconds, clock
        self._held: _Held | None = None
        self._running: Event | None = None
        self._failing = False
        self._next_fetch = self._next_miss = float("-inf")

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key of a token's header, after a fetch when that may help; None when the issuer has no such key.

        Raises `IssuerUnavailable` when that cannot be known.
        """
        keys, just_fetched = self._usable()
        key = pick(keys, kid, algorithm)
        if key is not None or kid is None or just_fetched:
            return key
        key = pick(self._after_miss(keys), kid, algorithm)
        if key is None and (self._failing or self._running is not None):
            raise self._unavailable(self._next_miss)
        return key

    def _usable(self) -> tuple[tuple[Key, ...], bool]:
        """The keys there are, and whether this call waited for them."""
        keys = self._known()
        if not keys:
            self._wait(self._refresh())
            if not (keys := self._known()):
                raise self._unavailable(self._next_fetch)
            return keys, True
        assert self._held is not None
        if self._clock() - self._held.since >= self._fresh_seconds:
            self._refresh()  # this call goes on with what is known
        return keys, False

    def _known(self) -> tuple[Key, ...]:
        held = self._held
        return held.keys if held is not None and self._clock() - held.since < STALE_SECONDS else ()

    def _after_miss(self, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        """The keys once others have been fetched, if it is time for that."""
        if self._running is None and self._known() is keys and self._clock() >= self._next_miss:
            self._next_miss = self._clock() + MISS_SECONDS
            self._next_fetch = float("-inf")
            self._refresh()
        self._wait(self._running)
        return self._known()

    def _refresh(self) -> Event | None:
        """Begin a fetch, or join the one that runs; None when it is too early for another."""
        if self._running is None and self._clock() >= self._next_fetch:
            self._next_fetch = self._clock() + RETRY_SECONDS
            self._running = Event()
            gevent.spawn(self._run, self._running)
        return self._running

    def _run(self, done: Event) -> None:
        begun, self._failing = self._clock(), True
        try:
            self._held = _Held(self._fetch(), begun)
            self._failing = False
        except KeysNotFetched as error:
            log.warning("an issuer's keys could not be fetched", issuer=self._name, detail=str(error))
        finally:
            self._running = None
            done.set()

    def _wait(self, running: Event | None) -> None:
        if running is not None:
            running.wait(PATIENCE)

    def _unavailable(self, until: float) -> IssuerUnavailable:
        wait = max(1.0, until - self._clock())
        return IssuerUnavailable(retry_after=wait, detail=f"no keys of issuer {self._name}")
