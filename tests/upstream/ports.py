"""Addresses at which connecting itself goes wrong."""

from __future__ import annotations

import random
import socket
from collections import deque

LOOPBACK = "127.0.0.1"
FILL = 8  # connections that are certain to overflow a backlog of zero
OURS = range(10_000, 32_768)  # no system gives these to one who asks for any port, so only `free_ports` does
KEPT = 200  # ports, newest first: their servers have long begun to listen, and a process has files to spare
_reservations: deque[socket.socket] = deque()


class Ports:
    """Loopback addresses that refuse, swallow or ignore connections, as long as this object is open."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def refusing(self) -> str:
        """A URL where nothing listens: bound, so that nobody else can come to listen there."""
        return _url(self._bind())

    def blackhole(self) -> str:
        """A URL whose connections are never established: the backlog is full (Linux drops further SYNs)."""
        listener = self._bind()
        listener.listen(0)
        for _ in range(FILL):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            self._held.append(filler)
        return _url(listener)

    def mute(self) -> str:
        """A URL where connections are established by the kernel and nobody ever reads or answers."""
        listener = self._bind()
        listener.listen(128)
        return _url(listener)

    def close(self) -> None:
        """Give the addresses back."""
        for held in self._held:
            held.close()
        self._held.clear()

    def _bind(self) -> socket.socket:
        sock = socket.socket()
        sock.bind((LOOPBACK, 0))
        self._held.append(sock)
        return sock


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on, all different. No other process of tests is given them before a server is there."""
    found: list[int] = []
    while len(found) < number:
        port = random.choice(OURS)
        if _reserve(port):
            found.append(port)
    return found


def _reserve(port: int) -> bool:
    """Whether it was free. The UDP port of the same number is the reservation, which every process respects."""
    reservation = socket.socket(type=socket.SOCK_DGRAM)
    try:
        reservation.bind((LOOPBACK, port))
        with socket.socket() as probe:
            probe.bind((LOOPBACK, port))
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    if len(_reservations) > KEPT:
        _reservations.popleft().close()
    return True


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()
    return f"http://{host}:{port}"
