"""The upstream: a vendor on a loopback port that misbehaves when asked to."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Self, TypeVar

import gevent

from tests.upstream.behaviours import named
from tests.upstream.book import Book
from tests.upstream.connection import Connection
from tests.upstream.ports import LOOPBACK, Ports
from tests.upstream.record import Call
from tests.upstream.steps import Behaviour

T = TypeVar("T")
BACKLOG = 4096
PATIENCE = 30.0  # seconds, for what takes a moment on a quiet machine
TICK = 0.005


class Upstream:
    """A vendor speaking OpenAI's and Anthropic's dialects, by threads and raw sockets.

    Use it as a context manager, or `start` and `stop`. What a call gets: the
    next planned behaviour; else the one that its model's name asks for; else
    the right answer of its path. `observe` is told each call once it is over,
    from that call's thread.
    """

    def __init__(self, host: str = LOOPBACK, port: int = 0, observe: Callable[[Call], None] | None = None) -> None:
        self._listener = socket.create_server((host, port), backlog=BACKLOG)
        self.host, self.port = self._listener.getsockname()[:2]
        self._book = Book(observe)
        self._ports = Ports()
        self._lock = threading.Lock()
        self._open: dict[int, tuple[Connection, threading.Thread]] = {}
        self._numbers = count(1)
        self._acceptor = threading.Thread(target=self._accept, name="upstream", daemon=True)

    @property
    def url(self) -> str:
        """`http://host:port`: Anthropic's base URL."""
        return f"http://{self.host}:{self.port}"

    @property
    def openai_url(self) -> str:
        """`http://host:port/v1`: OpenAI's base URL."""
        return f"{self.url}/v1"

    @cached_property
    def refuse(self) -> str:
        """A URL whose port refuses connections."""
        return self._ports.refusing()

    @cached_property
    def blackhole(self) -> str:
        """A URL to which no connection is ever established."""
        return self._ports.blackhole()

    @cached_property
    def mute(self) -> str:
        """A URL that accepts connections and never reads or answers."""
        return self._ports.mute()

    @property
    def calls(self) -> list[Call]:
        """Every call whose head was read, in the order of arrival."""
        return list(self._book.calls)

    @property
    def seen(self) -> list[Call]:
        """The calls whose request was received completely."""
        return [call for call in self._book.calls if call.received_at is not None]

    @property
    def cancelled(self) -> list[Call]:
        """The calls whose client left before the answer (or its own request) ended."""
        return [call for call in self._book.calls if call.cancelled]

    @property
    def live(self) -> int:
        """How many calls are being received or answered."""
        return sum(call.live for call in self._book.calls)

    @property
    def connections(self) -> int:
        """How many connections are open now, idle ones included."""
        with self._lock:
            return len(self._open)

    @property
    def planned(self) -> list[str]:
        """The names of the behaviours that no call has asked for yet."""
        return [behaviour.name for behaviour in list(self._book.planned)]

    @property
    def complaints(self) -> list[str]:
        """Faults in what clients sent, as HTTP, and in the behaviours themselves."""
        return list(self._book.complaints)

    def plan(self, *behaviours: str | Behaviour) -> None:
        """Queue what the next calls get, one each, in the order in which their heads arrive.

        Raises `ValueError` for a name that is unknown.
        """
        self._book.planned.extend([named(item) if isinstance(item, str) else item for item in behaviours])

    def forget(self) -> None:
        """Drop all recorded calls and plans: for an upstream that several tests share."""
        self._book.calls.clear()
        self._book.planned.clear()

    def wait(self, predicate: Callable[[Upstream], T], timeout: float = PATIENCE) -> T:
        """The predicate's value as soon as it is true. Greenlets of the caller's thread go on meanwhile.

        Raises `TimeoutError`, which says what was seen instead.
        """
        end = time.monotonic() + timeout
        while not (value := predicate(self)):
            if time.monotonic() > end:
                raise TimeoutError(f"not so within {timeout:g} s; {self.summary()}")
            gevent.sleep(TICK)
        return value

    def summary(self) -> str:
        """The calls in short, for messages."""
        lines = [describe(call) for call in self._book.calls]
        return "; ".join([f"{len(lines)} calls", *lines, *self._book.complaints])

    def start(self) -> None:
        """Begin to accept."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close everything. Raises `RuntimeError` when a connection's thread does not end."""
        self._book.stopping = True
        socket.create_connection((self.host, self.port), PATIENCE).close()  # wakes the acceptor
        self._acceptor.join(PATIENCE)
        self._listener.close()
        with self._lock:
            left = list(self._open.values())
        for connection, _ in left:
            connection.stop()
        for _, thread in left:
            thread.join(PATIENCE)
        self._ports.close()
        if self._open:
            raise RuntimeError(f"connections {sorted(self._open)} did not end")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._book.stopping:
                sock.close()
                return
            number = next(self._numbers)
            connection = Connection(sock, number, self._book)
            thread = threading.Thread(
                target=self._run, args=(number, connection), name=f"upstream-{number}", daemon=True
            )
            with self._lock:
                self._open[number] = (connection, thread)
            thread.start()

    def _run(self, number: int, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            if fault := sys.exception():
                self._book.complain(f"connection {number}: the upstream itself failed: {fault!r}")
            with self._lock:
                del self._open[number]


def describe(call: Call) -> str:
    """One line about a call: what it asked for, what it got, how it went."""
    fate = "client left" if call.cancelled else "live" if call.live else "ended"
    return (
        f"#{call.number} on connection {call.connection}: {call.method} {call.path}"
        f" -> {call.behaviour or 'still reading'}, {len(call.events)} events, {len(call.payload)} bytes, {fate}"
    )
