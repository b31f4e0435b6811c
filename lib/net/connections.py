"""Connections to vendors: opened within a time limit, kept while idle, handed out again while they are alive.

Sockets are gevent's, so that waiting yields to other calls.
"""

from __future__ import annotations

import select
import ssl
from collections import deque
from dataclasses import dataclass
from socket import SOCK_STREAM
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import certifi
import gevent
import gevent.socket
import gevent.ssl
from gevent.monkey import get_original

IDLE_SECONDS = 50.0  # balancers close idle connections after 60 s: be first
MAX_IDLE = 1024  # idle connections kept for one origin

_poll = get_original("select", "poll")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests go: the parts of a base URL. `prefix` is its path without a trailing slash."""

    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, url: str) -> Origin:
        """Take a base URL apart. Raises ValueError for anything but a plain http(s) URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a base URL must begin with http:// or https:// and name a host")
        if parts.query or parts.fragment or parts.username or parts.password:
            raise ValueError("a base URL has no query, fragment or credentials")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))

    @property
    def host_header(self) -> str:
        """The value of the Host header: the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


class Connections:
    """Idle connections by origin, the latest used first, and how new ones are made."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str, int], deque[tuple[Any, float]]] = {}
        self._swept = monotonic()
        self._tls: ssl.SSLContext | None = None

    def close(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            while idle:
                idle.pop()[0].close()

    def take(self, origin: Origin) -> Any | None:
        """An idle connection that is still alive, or None."""
        self._sweep(monotonic())
        idle = self._idle.get((origin.scheme, origin.host, origin.port))
        while idle:
            sock, since = idle.pop()
            if monotonic() - since < IDLE_SECONDS and _quiet(sock):
                return sock
            sock.close()
        return None

    def give(self, origin: Origin, sock: Any) -> None:
        """Keep a connection whose answer was read to its end."""
        now = monotonic()
        self._sweep(now)
        idle = self._idle.setdefault((origin.scheme, origin.host, origin.port), deque())
        if len(idle) >= MAX_IDLE:
            idle.popleft()[0].close()
        idle.append((sock, now))

    def _sweep(self, now: float) -> None:
        """Close what has been idle for too long, of every origin: some are never called again."""
        if now - self._swept < IDLE_SECONDS:
            return
        self._swept = now
        for key, idle in list(self._idle.items()):
            while idle and now - idle[0][1] >= IDLE_SECONDS:
                idle.popleft()[0].close()
            if not idle:
                del self._idle[key]

    def open(self, origin: Origin, timeout: float) -> Any:
        """A new connection, name lookup and TLS included, within `timeout` seconds. Raises OSError."""
        with gevent.Timeout(timeout, TimeoutError("no connection in time")):
            sock = _connect(origin, timeout)
            try:
                sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
                if origin.scheme == "https":
                    sock = self._secured(sock, origin.host)
                    sock.do_handshake()
                return sock
            except BaseException:
                sock.close()
                raise

    def _secured(self, sock: Any, host: str) -> Any:
        """The same connection with TLS around it; the handshake is still to come."""
        if self._tls is None:
            self._tls = _tls_context()
        return self._tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)


def _connect(origin: Origin, timeout: float) -> Any:
    """A connection to the first address that answers; each gets its share of the time."""
    found = gevent.socket.getaddrinfo(origin.host, origin.port, 0, SOCK_STREAM)
    end = monotonic() + timeout
    for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
        sock = gevent.socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(0.001, end - monotonic()) / left)
            sock.connect(address)
            return sock
        except OSError:
            sock.close()
            if left == 1:
                raise
        except BaseException:
            sock.close()
            raise
    raise OSError("the name has no address")


def _quiet(sock: Any) -> bool:
    """Whether an idle connection has nothing to say: data or an end would make it unusable."""
    if isinstance(sock, gevent.ssl.SSLSocket) and sock.pending():
        return False
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


def _tls_context() -> ssl.SSLContext:
    """Python's defaults, on gevent's sockets whether or not this process is patched."""
    context: ssl.SSLContext = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context
