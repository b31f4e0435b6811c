"""The one pooled HTTP/1.1 client, for calls to vendors.

Measured against the field it costs a fraction of the CPU of a general client,
because it does only this: one request, an answer read as it arrives, in slices,
so that the caller keeps its own deadlines and can send pings meanwhile.
Sockets are gevent's, so waiting yields to other calls; parsing is llhttp
(through httptools), strict. Redirects are never followed and proxies not used.
"""

from __future__ import annotations

import select
import ssl
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import certifi
import gevent.socket
import gevent.ssl
import httptools
from gevent.monkey import get_original

from lib.base.errors import ClientGone, VendorProtocolError, VendorTimeout, VendorUnreachable

RECEIVE = 65536  # bytes asked of the kernel at once
MAX_HEAD = 65536  # bytes of status line and headers, interim answers included
MAX_INFLATED = 64 * 1024 * 1024  # bytes a compressed answer may grow to
IDLE_SECONDS = 50.0  # balancers close idle connections after 60 s: be first
MAX_IDLE = 1024  # idle connections kept for one origin
SEND_SECONDS = 60.0  # without progress while sending a request

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


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to `origin` at `target` (a path). An iterable body is sent once; without a length it is chunked."""

    origin: Origin
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes | Iterable[bytes]
    length: int | None = None
    connect_timeout: float = 5.0
    method: str = "POST"

    def head(self) -> bytes:
        """The request line and headers, framing included."""
        lines = [f"{self.method} {self.target} HTTP/1.1\r\nhost: {self.origin.host_header}\r\n"]
        lines.append("accept-encoding: identity\r\n")
        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        length = len(self.body) if isinstance(self.body, bytes) else self.length
        lines.append("transfer-encoding: chunked\r\n\r\n" if length is None else f"content-length: {length}\r\n\r\n")
        return "".join(lines).encode("latin-1")


class HttpClient:
    """Keeps idle connections by origin and makes exchanges. One for each worker."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str, int], deque[tuple[Any, float]]] = {}
        self._tls: ssl.SSLContext | None = None

    def exchange(self, request: HttpRequest) -> Exchange:
        """Prepare one request; nothing is sent before `Exchange.start`."""
        return Exchange(self, request)

    def close(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            while idle:
                idle.pop()[0].close()

    def take(self, origin: Origin) -> Any | None:
        """An idle connection that is still alive, or None."""
        idle = self._idle.get((origin.scheme, origin.host, origin.port))
        while idle:
            sock, since = idle.pop()
            if monotonic() - since < IDLE_SECONDS and _quiet(sock):
                return sock
            sock.close()
        return None

    def give(self, origin: Origin, sock: Any) -> None:
        """Keep a connection whose answer was read to its end."""
        idle = self._idle.setdefault((origin.scheme, origin.host, origin.port), deque())
        if len(idle) >= MAX_IDLE:
            idle.popleft()[0].close()
        idle.append((sock, monotonic()))

    def connect(self, origin: Origin, timeout: float) -> Any:
        """A new connection, TLS included. `timeout` is in seconds. Raises OSError."""
        sock = gevent.socket.create_connection((origin.host, origin.port), timeout)
        sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
        if origin.scheme == "http":
            return sock
        if self._tls is None:
            self._tls = _tls_context()
        try:
            return self._tls.wrap_socket(sock, server_hostname=origin.host)
        except BaseException:
            sock.close()
            raise


class Exchange:
    """One request and its answer, as `lib.providers.base.Answer` describes it.

    Also the parser's protocol object: `on_*` methods are called by httptools.
    """

    def __init__(self, client: HttpClient, request: HttpRequest) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self._client = client
        self._request = request
        self._sock: Any = None
        self._parser: Any = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._received = 0
        self._head_done = False
        self._framed = False
        self._complete = False
        self._keep = False
        self._aborted = False
        self._closed = False
        self._inflate: Any = None

    # ---- the Answer contract ----

    def start(self, patience: float) -> bool:
        """Connect and send on the first call, then wait for the final head. False: still silent."""
        if self._sock is None:
            self._open()
        while not self._head_done:
            if not self._receive(patience):
                return False
        return True

    def read(self, patience: float) -> bytes | None:
        """Everything that has arrived; b"" at the end; None after `patience` silent seconds."""
        while True:
            if self._chunks:
                block = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
                self._chunks.clear()
                if self._inflate is not None:
                    block = self._inflated(block)
                if block:
                    return block
            if self._complete:
                return b""
            if not self._receive(patience):
                return None

    def abort(self) -> None:
        """Close the connection under whoever waits on it; they get `ClientGone`."""
        self._aborted = True
        self._keep = False
        if self._sock is not None:
            self._sock.close()

    def close(self) -> None:
        """Keep the connection if the answer was read to its end, else close it."""
        if self._closed:
            return
        self._closed = True
        self._parser = None  # it refers back to us
        if self._sock is None:
            return
        if self._complete and self._keep:
            self._client.give(self._request.origin, self._sock)
        else:
            self._sock.close()
        self._sock = None

    # ---- sending ----

    def _open(self) -> None:
        if self._aborted:
            raise ClientGone
        request = self._request
        self._sock = self._client.take(request.origin)
        try:
            if self._sock is None:
                self._sock = self._client.connect(request.origin, request.connect_timeout)
            self._sock.settimeout(SEND_SECONDS)
            self._send()
        except TimeoutError as error:
            raise VendorTimeout(detail=f"connecting or sending: {error}") from error
        except OSError as error:
            raise self._lost(error) from error

    def _send(self) -> None:
        body = self._request.body
        if isinstance(body, bytes):
            self._push(self._request.head() + body)
            return
        self._push(self._request.head())
        chunked = self._request.length is None
        for piece in body:
            if piece:
                self._push(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self._push(b"0\r\n\r\n")

    def _push(self, data: bytes) -> None:
        """Send all of it; what fits into the kernel's buffer with one system call, which sendall would not."""
        sent = self._sock.send(data)
        if sent < len(data):
            self._sock.sendall(memoryview(data)[sent:])

    # ---- receiving ----

    def _receive(self, patience: float) -> bool:
        """Feed the parser with what the kernel has. False: nothing came within `patience` seconds."""
        sock = self._sock
        if self._aborted:
            raise ClientGone
        try:
            sock.settimeout(patience)
            data = sock.recv(RECEIVE)
        except TimeoutError:
            return False
        except OSError as error:
            raise self._lost(error) from error
        if self._aborted:
            raise ClientGone
        if not data:
            self._ended()
            return True
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise VendorProtocolError(detail=f"not HTTP: {type(error).__name__}") from error
        if self._received > MAX_HEAD and not self._head_done:
            raise VendorProtocolError(detail="the head of the answer is too large")
        return True

    def _ended(self) -> None:
        """The vendor closed: the end of an unframed body, or an answer cut short."""
        if self._head_done and not self._framed:
            self._complete = True
        elif self._received:
            raise VendorProtocolError("The model provider's answer ended early.", detail="connection closed early")
        else:
            raise VendorUnreachable(detail="connection closed before an answer")

    def _lost(self, error: OSError) -> Exception:
        if self._aborted:
            return ClientGone()
        if self._received:
            return VendorProtocolError("The model provider's answer ended early.", detail=str(error))
        return VendorUnreachable(detail=str(error))

    def _inflated(self, block: bytes) -> bytes:
        try:
            out: bytes = self._inflate.decompress(block, MAX_INFLATED)
        except zlib.error as error:
            raise VendorProtocolError(detail="bad compressed answer") from error
        if self._inflate.unconsumed_tail:
            raise VendorProtocolError(detail="compressed answer too large")
        return out

    # ---- the parser's callbacks ----

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the head, or of a trailer (ignored)."""
        if not self._head_done:
            self.headers.append((name.decode("latin-1").lower(), (value or b"").decode("latin-1")))

    def on_headers_complete(self) -> None:
        """A head is complete; an interim one (1xx, RFC 9110 section 15.2) is dropped."""
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers.clear()
            return
        self._head_done = True
        for name, value in self.headers:
            if name in ("content-length", "transfer-encoding"):
                self._framed = True
            elif name == "content-encoding" and value not in ("", "identity"):
                self._decode(value.lower())

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._chunks.append(data)

    def on_message_complete(self) -> None:
        """The end of an answer, interim ones excepted."""
        if self._head_done:
            self._complete = True
            self._keep = self._parser.should_keep_alive()

    def _decode(self, coding: str) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise VendorProtocolError(detail="unasked content-encoding")
        self._inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, told by its head
        self.headers = [h for h in self.headers if h[0] not in ("content-encoding", "content-length")]


def _quiet(sock: Any) -> bool:
    """Whether an idle connection has nothing to say: data or an end would make it unusable."""
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


def _tls_context() -> ssl.SSLContext:
    context: ssl.SSLContext = gevent.ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context
