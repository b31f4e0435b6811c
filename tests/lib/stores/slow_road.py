"""A road to a server of ours that takes its time, and a server that answers every question with one line."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from tests.upstream.ports import LOOPBACK


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class Served:
    """A TCP server in threads, for the length of a block."""

    def __init__(self, handle: Any) -> None:
        kind = type("Handler", (socketserver.BaseRequestHandler,), {"handle": lambda self: handle(self.request)})
        self._server = _Server((LOOPBACK, 0), kind)
        self.port = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Lag:
    """How much later an answer comes. It may change on the way."""

    seconds: float


def slow(port: int, lag: float | Lag) -> Served:
    """Each answer of the server at `port` comes so many seconds later."""
    late = lag if isinstance(lag, Lag) else Lag(lag)

    def handle(client: socket.socket) -> None:
        with suppress(OSError), socket.create_connection((LOOPBACK, port)) as server:  # unless it is away
            while question := _received(client):
                server.sendall(question)
                answer = server.recv(65536)
                time.sleep(late.seconds)
                client.sendall(answer)

    return Served(handle)


def saying(line: str) -> Served:
    """Whatever is asked, the answer is `line`."""

    def handle(client: socket.socket) -> None:
        while _received(client):
            client.sendall(f"{line}\r\n".encode())

    return Served(handle)


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(65536)
    except OSError:  # the other side left
        return b""
