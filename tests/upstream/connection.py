"""One connection of the upstream: reads calls, plays what they get, notices when the client leaves."""

from __future__ import annotations

import select
import socket
import struct
import time

from tests.upstream.book import Book
from tests.upstream.reading import Gone, Malformed, Reader
from tests.upstream.record import Call, Sent
from tests.upstream.steps import Behaviour, Close, Cut, End, Hang, Send, Step, Wait

# Without POLLIN a request that waits behind the answer is not mistaken for a hang-up.
HANG_UP = select.POLLRDHUP | select.POLLHUP | select.POLLERR
LINGER_SECONDS = 1.0
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connection:
    """Serves one accepted socket, in the thread that calls `run`.

    A client that closes its sending side counts as gone: that is all a server can see of it.
    """

    def __init__(self, sock: socket.socket, number: int, book: Book) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._number = number
        self._book = book
        self._reader = Reader(sock)
        self._poll = select.poll()
        self._poll.register(sock, HANG_UP)

    def run(self) -> None:
        """Serve calls until either side has had enough."""
        try:
            while self._serve_one():
                pass
        except Gone:
            return
        except Malformed as fault:
            self._book.complain(f"connection {self._number}: the client sent {fault}")
            self._refuse()
        finally:
            self._sock.close()

    def stop(self) -> None:
        """Called from another thread: whatever `run` waits for ends."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # closed or reset already: there is nothing left to stop
            return

    def _serve_one(self) -> bool:
        """One call; whether the connection may be used again."""
        head = self._reader.head()
        if head is None:
            return False
        call = self._book.open(head, self._number)
        planned = self._book.next_planned()
        try:
            if planned is None or not planned.early:
                if "100-continue" in head.values("expect"):
                    self._write(CONTINUE)
                call.body = self._reader.body(head, lambda size: call.arrivals.append((time.monotonic(), size)))
                call.received_at = time.monotonic()
            kept = self._play(call, planned or self._book.behaviour(call))
        except Gone:
            self._book.left(call)
            raise
        except Malformed:
            self._end(call)
            raise
        return kept and "close" not in [value.lower() for value in head.values("connection")]

    def _play(self, call: Call, behaviour: Behaviour) -> bool:
        call.behaviour = behaviour.name
        for step in behaviour.play(call):
            if not self._do(call, step):
                return False
        self._end(call)
        return True

    def _do(self, call: Call, step: Step) -> bool:
        """One step; False when it closed the connection."""
        match step:
            case Send(data, kind, payload):
                self._wait(0)
                # Noted before it is written, so that a client that has the bytes finds them noted.
                call.payload += payload
                call.sent.append(Sent(time.monotonic(), len(data), kind))
                self._write(data)
            case Wait(seconds):
                self._wait(seconds)
            case Hang():
                self._wait(None)
            case End():
                self._end(call)
            case Close() | Cut():
                self._end(call)
                self._close(call, abruptly=isinstance(step, Cut))
                return False
        return True

    def _end(self, call: Call) -> None:
        if call.live:
            self._book.ended(call)

    def _write(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError:
            raise Gone from None

    def _wait(self, seconds: float | None) -> None:
        """Be idle for so long (None: for ever). Raises `Gone` as soon as the client hangs up."""
        if self._poll.poll(None if seconds is None else seconds * 1000):
            raise Gone

    def _close(self, call: Call, *, abruptly: bool) -> None:
        if abruptly:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif call.received_at is None:
            self._drain()
        self._sock.close()

    def _drain(self) -> None:
        """Say that nothing follows, then read what is unread: closing over it would send a reset instead."""
        try:
            self._sock.shutdown(socket.SHUT_WR)
            self._sock.settimeout(LINGER_SECONDS)
            while self._sock.recv(65536):
                pass
        except OSError:  # a reset or the end of our patience: closed all the same
            return

    def _refuse(self) -> None:
        try:
            self._sock.sendall(REFUSAL)
        except OSError:  # gone; the complaint is noted
            return
        self._drain()
