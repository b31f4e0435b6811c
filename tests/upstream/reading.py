"""Reads requests from a socket (RFC 9112), strictly: a proxy's faults should be seen here."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

MAX_HEAD = 256 * 1024  # bytes
PIECE = 64 * 1024


class Gone(Exception):
    """The client hung up in the middle of something."""


class Malformed(Exception):
    """The client sent what is no HTTP/1.1 request."""


@dataclass(frozen=True, slots=True)
class Head:
    """A request line and its headers, in order and in their own case."""

    method: str
    target: str
    headers: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        """Every value of a header, whatever its case."""
        return [value for key, value in self.headers if key.lower() == name]


class Reader:
    """Requests of one connection, one after another."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._held = bytearray()

    def head(self) -> Head | None:
        """The next request's head; None when the client closed an idle connection.

        Raises `Gone` when it left within a head and `Malformed` for junk.
        """
        while (end := self._held.find(b"\r\n\r\n")) < 0:
            if len(self._held) > MAX_HEAD:
                raise Malformed("a head without end")
            if not self._fill():
                if self._held:
                    raise Gone
                return None
        lines = self._take(end + 4)[:-4].decode("latin-1").split("\r\n")
        head = _parse(lines)
        _check(head)
        return head

    def body(self, head: Head, arrived: Callable[[int], None]) -> bytes:
        """The body of the request, by its length or its chunks; `arrived` is told the total after each read.

        Raises `Gone` when the client left within it and `Malformed` for broken chunks.
        """
        if head.values("transfer-encoding"):
            return self._chunks(arrived)
        length = int((head.values("content-length") or ["0"])[0])
        while len(self._held) < length:
            arrived(len(self._held))
            self._need()
        arrived(length)
        return self._take(length)

    def _chunks(self, arrived: Callable[[int], None]) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            while len(self._held) < size + 2:
                self._need()
            body += self._take(size)
            if self._take(2) != b"\r\n":
                raise Malformed("a chunk that does not end where it should")
            arrived(len(body))
        while self._line():  # trailers
            pass
        return bytes(body)

    def _chunk_size(self) -> int:
        line = self._line()
        try:
            return int(line.partition(b";")[0], 16)
        except ValueError:
            raise Malformed(f"a chunk size of {line!r}") from None

    def _line(self) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            self._need()
        return self._take(end + 2)[:-2]

    def _take(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _need(self) -> None:
        if not self._fill():
            raise Gone

    def _fill(self) -> bool:
        try:
            data = self._sock.recv(PIECE)
        except ConnectionError:
            return False
        self._held += data
        return bool(data)


def _parse(lines: list[str]) -> Head:
    try:
        method, target, version = lines[0].split(" ")
    except ValueError:
        raise Malformed(f"a request line of {lines[0]!r}") from None
    if version != "HTTP/1.1":
        raise Malformed(f"a version of {version!r}")
    fields = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise Malformed(f"a header line of {line!r}")
        fields.append((name, value.strip()))
    return Head(method, target, fields)


def _check(head: Head) -> None:
    """What a proxy gets wrong most easily: the host, and two lengths for one body (RFC 9112, 6.3)."""
    lengths, codings = head.values("content-length"), head.values("transfer-encoding")
    if len(head.values("host")) != 1:
        raise Malformed("not exactly one Host header")
    if len(lengths) + len(codings) > 1:
        raise Malformed("more than one length for one body")
    if lengths and not lengths[0].isdigit():
        raise Malformed(f"a Content-Length of {lengths[0]!r}")
    if codings and codings[0].lower() != "chunked":
        raise Malformed(f"a Transfer-Encoding of {codings[0]!r}")
