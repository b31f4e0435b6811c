"""Many callers at once, in greenlets: what they asked, what they heard, how long it took."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import gevent
import gevent.socket
from gevent.pool import Pool

from tests.drills.client import CHAT, USUAL, Said
from tests.upstream import Call, Gateway
from tests.upstream.ports import LOOPBACK

PATIENCE = 60.0  # seconds after which a call counts as hanging
_numbers = count(1)


@dataclass(frozen=True)
class Ask:
    """One call. Its `marker` is the caller's request id, and stands in what the vendor gets."""

    gateway: Gateway
    model: str
    key: str | None = None
    run: str | None = None
    path: str = CHAT
    fields: Mapping[str, Any] = field(default_factory=dict)
    leave_after: float | None = None  # seconds after which the caller hangs up
    marker: str = field(default_factory=lambda: f"call-{next(_numbers)}")

    @property
    def request(self) -> bytes:
        """The whole request, as it is sent."""
        body = json.dumps({"model": self.model, **USUAL[self.path], "user": self.marker, **self.fields}).encode()
        head = [
            f"POST {self.path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self.key or self.gateway.key}",
            f"X-Request-ID: {self.marker}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        if self.run is not None:
            head.append(f"X-Run-ID: {self.run}")
        return "\r\n".join([*head, "", ""]).encode() + body


@dataclass(frozen=True)
class Heard:
    """What became of a call that began `at` (`time.monotonic`). `said` is None when the connection broke
    before a whole answer had come."""

    ask: Ask
    said: Said | None
    at: float
    seconds: float

    @property
    def status(self) -> int | None:
        """The status of a whole answer."""
        return self.said.status if self.said else None

    @property
    def code(self) -> str | None:
        """The code of an error."""
        return None if self.said is None or self.said.status == 200 else str(self.said.json["error"]["code"])


def marker_of(call: Call) -> str:
    """The marker that a vendor was sent."""
    return str(call.json.get("user", ""))


def hear(ask: Ask) -> Heard:
    """Make one call. Fails when it hangs."""
    begin = time.monotonic()
    said = None
    try:
        with gevent.Timeout(ask.leave_after, False), closing(_connected(ask.gateway)) as sock:
            sock.sendall(ask.request)
            said = _answer(sock)
    except TimeoutError:
        raise AssertionError(f"{ask.marker} hangs") from None
    except (OSError, http.client.HTTPException, ValueError):
        pass
    return Heard(ask, said, begin, time.monotonic() - begin)


def crowd(asks: Iterable[Ask], at_once: int = 1000) -> list[Heard]:
    """Make all calls, so many at a time."""
    return list(Pool(at_once).imap(hear, asks))


class Load:
    """Callers that call again and again until they are told to stop."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.open = 0
        self._on = True
        self._callers: list[gevent.Greenlet] = []

    def add(self, callers: int, make: Callable[[], Ask], pause: float = 0.0) -> None:
        """So many callers more, each of whom makes a new call when the last one is over."""
        self._callers += [gevent.spawn(self._go_on, make, pause) for _ in range(callers)]

    def stop(self) -> list[Heard]:
        """No new calls; all that was heard, once the last one is over."""
        self._on = False
        gevent.joinall(self._callers, raise_error=True)
        return self.heard

    def _go_on(self, make: Callable[[], Ask], pause: float) -> None:
        while self._on:
            self.open += 1
            heard = hear(make())
            self.open -= 1
            self.heard.append(heard)
            gevent.sleep(pause if heard.status == 200 else max(pause, 0.05))


@contextmanager
def load() -> Iterator[Load]:
    """Callers for the length of a block, or until they are stopped."""
    made = Load()
    try:
        yield made
    finally:
        made.stop()


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something is so, while callers go on. Fails when it does not become so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        gevent.sleep(0.05)


def _connected(gateway: Gateway) -> Any:
    sock = gevent.socket.create_connection((LOOPBACK, int(gateway.settings["PORT"])), PATIENCE)
    sock.settimeout(PATIENCE)
    return sock


def _answer(sock: Any) -> Said:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    body = answer.read()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    answer.close()
    return Said(answer.status, headers, body)
