"""The load generator: many connections to one URL, one call at a time on each.

A job (JSON, see bench/job.py) is read from standard input, its result is written to standard output. One
process, one epoll loop, an HTTP parser in C: what it costs must not show in the figures of the server. It reads
just enough of an answer to count events and to know a good one from a bad one.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

import httptools
import msgspec

from bench.job import Job, Result

MANY_FAULTS = 1000  # after as many, a run of whole answers ends early


class Connection:
    """One connection and the call that is under way on it. A new one is opened when the server closes the old."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.connect()

    def connect(self) -> None:
        """Begin a call on a new connection."""
        self._begin()
        self._parser = httptools.HttpResponseParser(self)
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.connect_ex(self._load.address)  # how it went is known when the socket can be written
        self._load.watch(self)

    def _begin(self) -> None:
        self._began = time.perf_counter()
        self._first = 0.0
        self._events = 0
        self._text = b""  # the answer; of a stream, the end of what has come
        self._over = False

    def ready(self, events: int) -> None:
        """Go on with what the socket is ready for."""
        try:
            if events & select.EPOLLOUT:
                self._connected()
            if events & ~select.EPOLLOUT:
                self._read()
        except OSError as error:
            self._end(error.strerror or str(error))
        except httptools.HttpParserError:
            self._end("not HTTP")

    def _connected(self) -> None:
        if error := self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(error, os.strerror(error))
        self._send()
        self._load.watch(self, sent=True)

    def _send(self) -> None:
        if self.sock.send(self._load.request) < len(self._load.request):
            raise OSError("request not taken in one piece")

    def _read(self) -> None:
        data = self.sock.recv(262144)
        self._parser.feed_data(data)
        if self._over:
            self._end(self._fault("not the whole answer"))
        elif not data:
            self._end(self._fault("closed early"))

    def on_body(self, data: bytes) -> None:
        """Called by the parser. An event ends with an empty line (the HTML standard, "server-sent events")."""
        if not self._load.job.events:
            self._text += data
            return
        self._first = self._first or time.perf_counter()
        if b"\r" in data:
            data = data.replace(b"\r", b"")
        self._events += data.count(b"\n\n")
        if data[:1] == b"\n" != data[1:2] and self._text[-1:] == b"\n":
            self._events += 1  # its empty line came in two parts
        self._text = (self._text + data)[-16:]

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._over = True
        self._keep = self._parser.should_keep_alive()

    def _fault(self, otherwise: str) -> str | None:
        """What is wrong with the answer, now that no more will come."""
        if (status := self._parser.get_status_code()) != 200:
            return f"status {status}" if status else otherwise
        job = self._load.job
        if job.events:
            return None if self._events >= job.events and b"[DONE]" in self._text else otherwise
        return None if self._text and job.mark.encode() in self._text else otherwise

    def _end(self, fault: str | None) -> None:
        upto = self._first if self._load.job.events else time.perf_counter()
        again = self._load.note(fault, (upto - self._began) * 1000, self._events)
        if again and self._over and self._keep and not fault:
            self._begin()
            self._send()
            return
        self._load.forget(self)
        if again:
            self.connect()


class Load:
    """One run of a job."""

    def __init__(self, job: Job) -> None:
        self.job = job
        url = urlsplit(job.url)
        self.address = (socket.gethostbyname(url.hostname or ""), url.port or 80)
        head = (
            f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {job.key}\r\nContent-Length: {len(job.body.encode())}\r\n\r\n"
        )
        self.request = (head + job.body).encode()
        self._epoll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._wait: list[float] = []
        self._faults: Counter[str] = Counter()
        self._events = 0

    def run(self) -> Result:
        """Do the job."""
        self._began = self._last = time.perf_counter()
        cpu = time.process_time()
        for _ in range(self.job.connections):
            Connection(self)
        while self._open and (left := self._began + self.job.limit - time.perf_counter()) > 0:
            for descriptor, events in self._epoll.poll(left):
                if connection := self._open.get(descriptor):
                    connection.ready(events)
        for connection in list(self._open.values()):
            self.note("no answer in time", 0.0, 0)
            self.forget(connection)
        seconds = self._last - self._began
        return Result(
            answers=len(self._wait),
            faults=dict(self._faults),
            seconds=seconds,
            events=self._events,
            wait=sorted(self._wait),
            busy=(time.process_time() - cpu) / max(seconds, 0.001),
        )

    def watch(self, connection: Connection, sent: bool = False) -> None:
        """Be told when the connection can be written, or, once `sent`, when something can be read."""
        descriptor = connection.sock.fileno()
        if sent:
            self._epoll.modify(descriptor, select.EPOLLIN)
            return
        self._open[descriptor] = connection
        self._epoll.register(descriptor, select.EPOLLOUT)

    def forget(self, connection: Connection) -> None:
        """Close the connection."""
        del self._open[connection.sock.fileno()]
        connection.sock.close()

    def note(self, fault: str | None, wait: float, events: int) -> bool:
        """Count a call that has ended. True: another one, please."""
        self._last = time.perf_counter()
        self._events += events
        if fault:
            self._faults[fault] += 1
        else:
            self._wait.append(wait)
        time_is_up = self._last - self._began >= self.job.seconds
        return not time_is_up and self._faults.total() < MANY_FAULTS


def main() -> None:
    """Read a job, do it, write its result."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(Load(job).run()))


if __name__ == "__main__":
    main()
