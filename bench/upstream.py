"""A model vendor that costs next to nothing: OpenAI's chat completions over plain sockets, whole and streamed.

It answers every POST as `/v1/chat/completions` and every GET as `/v1/models`, in the shapes of OpenAI's API
reference. One process, one epoll loop: a stream's next event is an entry in a heap, so that a thousand streams
need no thousand threads. Events are due by the clock; a late one is sent at once, on its own, and none is dropped.
"""

from __future__ import annotations

import argparse
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any

import httptools
import msgspec

from bench.answers import ANSWER, DONE, EVENT, FINISH, MODELS, STREAM_HEAD, USAGE

_IDLE = 3600.0  # seconds to wait when nothing is due


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast answers come, in seconds: `whole` before a whole one, `first` before a stream's first event,
    `gap` between its `chunks` events."""

    whole: float = 0.0
    first: float = 0.0
    gap: float = 0.0
    chunks: int = 100


class Asked(msgspec.Struct):
    """What is read of a request's body."""

    stream: bool = False
    stream_options: dict[str, Any] | None = None


class Caller:
    """One connection, and the answer that is under way on it."""

    def __init__(self, sock: socket.socket, server: Upstream) -> None:
        self.sock = sock
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._unsent = b""
        self._left = 0  # events still to come
        self._end = b""
        self._due = 0.0

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self._body += data

    def on_message_complete(self) -> None:
        """Called by the parser: begin the answer."""
        pace = self._server.pace
        if self._parser.get_method() != b"POST":
            self._begin(0.0, MODELS)
            return
        asked = msgspec.json.decode(self._body, type=Asked)
        self._body = b""
        if not asked.stream:
            self._begin(pace.whole, ANSWER)
            return
        usage = USAGE if (asked.stream_options or {}).get("include_usage") else b""
        self._left = pace.chunks
        self._begin(pace.first, FINISH + usage + DONE, STREAM_HEAD)

    def _begin(self, delay: float, end: bytes, head: bytes = b"") -> None:
        self._due = time.monotonic() + delay
        self._unsent, self._end = head, end
        if delay > 0:
            self._server.later(self._due, self)
        else:
            self.go_on()

    def go_on(self) -> None:
        """Send what is due; ask to be called again while something is left."""
        if self.sock.fileno() < 0:
            return
        if self._left:
            self._left -= 1
            self._unsent += EVENT
        else:
            self._unsent += self._end
            self._end = b""
        try:
            self._unsent = self._unsent[self.sock.send(self._unsent) :]
        except BlockingIOError:
            pass  # the reader is behind: what is unsent goes with the next
        except OSError:
            self._server.drop(self)
            return
        if self._left or self._end or self._unsent:
            self._due += self._server.pace.gap or 0.001
            self._server.later(self._due, self)


class Upstream:
    """The server: connections, and what is due when."""

    def __init__(self, listener: socket.socket, pace: Pace) -> None:
        self.pace = pace
        self._listener = listener
        self._epoll = select.epoll()
        self._callers: dict[int, Caller] = {}
        self._due: list[tuple[float, int, Caller]] = []
        self._order = count()  # no two entries of the heap are equal, so callers are never compared

    def later(self, due: float, caller: Caller) -> None:
        """Call `caller.go_on` at `due`, a time of `time.monotonic`."""
        heappush(self._due, (due, next(self._order), caller))

    def drop(self, caller: Caller) -> None:
        """Close a connection."""
        self._callers.pop(caller.sock.fileno(), None)
        caller.sock.close()

    def serve(self) -> None:
        """Serve until the process is told to end."""
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)
        while True:
            wait = self._due[0][0] - time.monotonic() if self._due else _IDLE
            for descriptor, _ in self._epoll.poll(max(wait, 0.0)):
                if caller := self._callers.get(descriptor):
                    self._read(caller)
                elif descriptor == self._listener.fileno():
                    self._accept()
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                heappop(self._due)[2].go_on()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._callers[sock.fileno()] = Caller(sock, self)
            self._epoll.register(sock.fileno(), select.EPOLLIN)

    def _read(self, caller: Caller) -> None:
        try:
            data = caller.sock.recv(65536)
            caller.feed(data)
        except (OSError, httptools.HttpParserError, msgspec.MsgspecError):
            data = b""  # gone, or nothing that this server speaks
        if not data:
            self.drop(caller)


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m bench.upstream --port 9000`; times are in milliseconds."""
    parser = argparse.ArgumentParser(prog="python -m bench.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--whole", type=float, default=0, metavar="MS", help="before a whole answer")
    parser.add_argument("--first", type=float, default=0, metavar="MS", help="before a stream's first event")
    parser.add_argument("--gap", type=float, default=20, metavar="MS", help="between the events of a stream")
    parser.add_argument("--chunks", type=int, default=100, metavar="N", help="events of a stream")
    asked = parser.parse_args(arguments)
    with socket.create_server(("127.0.0.1", asked.port), backlog=4096) as listener:
        listener.setblocking(False)
        pace = Pace(asked.whole / 1000, asked.first / 1000, asked.gap / 1000, asked.chunks)
        Upstream(listener, pace).serve()


if __name__ == "__main__":
    main()
