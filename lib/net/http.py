"""The one pooled HTTP/1.1 client, for calls to vendors.

Measured against the field it costs a fraction of the CPU of a general client,
because it does only this: one request, an answer read as it arrives, in slices,
so that the caller keeps its own deadlines and can send pings meanwhile.
Parsing is llhttp (through httptools), strict. Redirects are never followed and
proxies not used.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import gevent
import httptools

from lib.base.errors import ClientGone, VendorProtocolError, VendorTimeout, VendorUnreachable
from lib.net.connections import Connections, Origin

RECEIVE = 65536  # bytes asked of the kernel at once
MAX_HEAD = 65536  # bytes of status line and headers, interim answers included
MAX_INFLATED = 64 * 1024 * 1024  # bytes that one block of a compressed answer may grow to
SEND = 256 * 1024  # bytes given to the kernel at once
SEND_SECONDS = 60.0  # without progress while sending a request
STALE_SECONDS = 1.0  # after which a lost connection was not idle: somebody may have read the request
GLANCE_SECONDS = 0.5  # without progress until it is time to look whether the answer has come already

_NOTHING_YET = (TimeoutError, BlockingIOError, ssl.SSLWantReadError)


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
    """Makes exchanges over connections that it keeps. One for each worker."""

    def __init__(self) -> None:
        self._connections = Connections()

    def exchange(self, request: HttpRequest) -> Exchange:
        """Prepare one request; nothing is sent before `Exchange.start`."""
        return Exchange(self._connections, request)

    def close(self) -> None:
        """Close every idle connection."""
        self._connections.close()


class Exchange:
    """One request and its answer, as `lib.providers.base.Answer` describes it.

    Also the parser's protocol object: `on_*` methods are called by httptools.
    """

    def __init__(self, connections: Connections, request: HttpRequest) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self._connections = connections
        self._request = request
        self._sock: Any = None
        self._connecting: Any = None  # the greenlet that does, while it does
        self._kept: bool | None = None  # whether the connection served another request before
        self._sent = False
        self._parser: Any = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._received = 0
        self._head_done = False
        self._framed = False
        self._complete = False
        self._keep = False
        self._broken: VendorProtocolError | None = None  # a fault behind what can still be read
        self._aborted = False
        self._closed = False
        self._sent_at = 0.0
        self._inflate: Any = None

    # ---- the Answer contract ----

    def start(self, patience: float) -> bool:
        """Connect and send on the first call, then wait for the final head. False: still silent."""
        until = 0.0
        while not self._head_done:
            try:
                if self._sock is None:
                    self._open()
                    continue
                if until:  # a trickle is no reason to stay
                    patience = until - monotonic()
                else:
                    until = monotonic() + patience
                if patience < 0.0 or not self._receive(patience):
                    return False
            except VendorUnreachable:
                if not self._was_stale():
                    raise
        return True

    def read(self, patience: float) -> bytes | None:
        """Everything that has arrived; b"" at the end; None after `patience` silent seconds."""
        until = 0.0
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
            if self._broken is not None:
                raise self._broken
            if until:  # the last round brought framing only
                patience = until - monotonic()
            else:
                until = monotonic() + patience
            if patience < 0.0 or not self._receive(patience):
                return None

    def abort(self) -> None:
        """Close the connection under whoever waits on it; they get `ClientGone`."""
        self._aborted = True
        self._keep = False
        if self._connecting is not None:
            gevent.get_hub().loop.run_callback(self._stop_connecting, self._connecting)
        elif self._sock is not None:
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
            self._connections.give(self._request.origin, self._sock)
        else:
            self._sock.close()
        self._sock = None

    # ---- connecting ----

    def _open(self) -> None:
        if self._aborted:
            raise ClientGone
        if self._kept is None and isinstance(self._request.body, bytes):
            self._sock = self._connections.take(self._request.origin)
        self._kept = self._sock is not None
        try:
            if self._sock is None:
                self._connect()
            self._send()
        except TimeoutError as error:
            raise VendorTimeout(detail=f"connecting or sending: {error}") from error
        except OSError as error:
            if not self._answered_early():
                raise self._lost(error) from error

    def _connect(self) -> None:
        self._connecting = gevent.getcurrent()
        try:
            self._sock = self._connections.open(self._request.origin, self._request.connect_timeout)
        finally:
            self._connecting = None
        if self._aborted:
            raise ClientGone

    def _stop_connecting(self, greenlet: Any) -> None:
        if self._connecting is greenlet:
            greenlet.throw(ClientGone)

    def _was_stale(self) -> bool:
        """Whether a kept connection ended just as we took it. Nobody read the request: a new one may carry it.

        A body that can be sent only once never goes on a kept connection.
        """
        if not self._kept or monotonic() > self._sent_at + STALE_SECONDS:
            return False
        self._sock.close()
        self._sock = None
        return True

    # ---- sending ----

    def _send(self) -> None:
        self._sock.settimeout(GLANCE_SECONDS)
        self._sent_at = monotonic()
        body = self._request.body
        if isinstance(body, bytes):
            self._sent = self._push(self._request.head() + body)
            return
        going = self._push(self._request.head())
        chunked = self._request.length is None
        for piece in body:
            if not going:
                return
            if piece:
                going = self._push(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        self._sent = self._push(b"0\r\n\r\n") if going and chunked else going

    def _push(self, data: bytes) -> bool:
        """Send all of it: mostly with one call to the system, which sendall would not do.

        False: the answer came first and the rest stays unsent (RFC 9112 section 9.5 asks to look out for it).
        """
        left: bytes | memoryview = data
        until = 0.0
        while True:
            try:
                sent = self._sock.send(left[:SEND])
            except TimeoutError:
                sent = 0
            if sent == len(left):
                return True
            if sent:
                left, until = memoryview(left)[sent:], 0.0
                continue
            until = until or monotonic() + SEND_SECONDS
            if self._answered_early():
                return False
            if monotonic() > until:
                raise TimeoutError("no progress")
            self._sock.settimeout(GLANCE_SECONDS)

    def _answered_early(self) -> bool:
        """Whether the final head has come although the request is not sent. Raises what `_receive` does."""
        if self._sock is None or self._aborted:
            return False
        while not self._head_done and self._receive(0.0):
            pass
        return self._head_done

    # ---- receiving ----

    def _receive(self, patience: float) -> bool:
        """Feed the parser with what the kernel has. False: nothing came within `patience` seconds."""
        sock = self._sock
        if self._aborted:
            raise ClientGone
        try:
            sock.settimeout(patience)
            data = sock.recv(RECEIVE)
        except _NOTHING_YET:
            return False
        except OSError as error:
            raise self._lost(error) from error
        if self._aborted:
            raise ClientGone
        if not data:
            self._ended()
            return True
        self._received += len(data)
        if len(data) == RECEIVE:
            gevent.sleep(0)  # a vendor that never pauses must not hold up all other calls
        self._parse(data)
        if self._received > MAX_HEAD and not self._head_done:
            raise VendorProtocolError(detail="the head of the answer is too large")
        return True

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._keep = False  # what follows an answer is nobody's (RFC 9112 section 6.3)
            if self._complete:
                return
            self._broken = VendorProtocolError(detail=f"not HTTP: {error.__context__ or error}")
            if not self._chunks:
                raise self._broken from error

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

    def on_message_begin(self) -> None:
        """An answer begins. A second final one would be somebody else's."""
        if self._complete:
            raise ValueError("more than one answer")

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
            elif name == "content-encoding":
                self._decode(value.lower())

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._chunks.append(data)

    def on_message_complete(self) -> None:
        """The end of an answer, interim ones excepted."""
        if self._head_done:
            self._complete = True
            self._keep = self._sent and self._parser.should_keep_alive()

    def _decode(self, coding: str) -> None:
        if coding in ("", "identity"):
            return
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise ValueError("a content-encoding that nobody asked for")
        self._inflate = zlib.decompressobj(wbits=47)  # gzip or zlib, told by its head
        self.headers = [h for h in self.headers if h[0] not in ("content-encoding", "content-length")]
