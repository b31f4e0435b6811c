"""The gevent worker, with four changes: errors before the application are JSON, a drain that balancers notice,
idle connections that do not hold up the end, and calls that do not end in silence when the grace is over."""

from __future__ import annotations

import secrets
import signal
import sys
from contextlib import suppress
from errno import ECONNRESET
from http import HTTPStatus
from math import ceil
from socket import SHUT_WR
from typing import Any

import gevent
import gevent.socket
import msgspec
from gunicorn import util
from gunicorn.http import errors as refused
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from lib.base.errors import AIProxyError
from lib.ledger import Keeper
from lib.net import Wait
from lib.telemetry import get_logger
from lib.wire import openai_error, openai_type
from lib.wiring import Services
from src import server
from src.context import EXTENSION

log = get_logger("aiproxy.server")

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (refused.LimitRequestLine, 414),
    (refused.LimitRequestHeaders, 431),
    (refused.ExpectationFailed, 417),
    (refused.UnsupportedTransferCoding, 501),
    (refused.ConfigurationProblem, 500),
    (refused.ParseException, 400),
)
LINGER_SECONDS = 2.0
LAST_LINGER_SECONDS = 0.5  # once the worker stops
LINGER_BYTES = 65536  # taken at once
FAREWELL_SECONDS = 2  # at least, for what calls say that were ended with the grace
LAST_CHANCE = 0.05  # seconds for the next request of a connection once the worker stops


class Worker(GeventWorker):  # type: ignore[misc]
    """One worker process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: set[Wait] = set()
        self._outdated = False
        self._grace = 0.0
        self._drains = False
        self.wsgi: Any = None

    def init_signals(self) -> None:
        """Gunicorn's, and SIGHUP, which was kept back since the fork."""
        super().init_signals()
        signal.signal(signal.SIGHUP, self.handle_hup)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    def handle_hup(self, sig: int, frame: Any) -> None:
        """SIGHUP: read the settings again, outside the signal handler; a worker that still starts, when it has."""
        if self.wsgi is None:
            self._outdated = True
        else:
            gevent.spawn(server.reread, self.wsgi)

    def load_wsgi(self) -> None:
        """Make the application."""
        super().load_wsgi()
        settings = self.wsgi.extensions[EXTENSION].settings
        self._grace = settings.graceful_timeout_seconds
        self.cfg.set("graceful_timeout", ceil(self._grace) + FAREWELL_SECONDS)  # the master's includes the drain
        if self._outdated:
            server.reread(self.wsgi)
        keeper = Keeper(self.wsgi.extensions[EXTENSION].books, self._depend, gevent.sleep)
        gevent.spawn(keeper.run)

    def _depend(self, there: bool) -> None:
        """The database answers, or it does not: that matters when calls are refused without it."""
        services: Services = self.wsgi.extensions[EXTENSION]
        needed = "refuse" in (services.settings.budgets_when_down, services.settings.ledger_when_down)
        services.lifecycle.depend(met=there or not needed)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: say "not ready" at once, stop accepting when balancers have had time to notice.

        Meanwhile each answer ends its connection (`Connection: close`), so that none is kept for what comes next.
        """
        if self.wsgi is None:
            sys.exit(0)  # nobody is served yet
        services = self.wsgi.extensions[EXTENSION]
        services.lifecycle.drain()
        self._drains = True
        gevent.spawn_later(services.settings.drain_seconds, self._stop_accepting)

    def _stop_accepting(self) -> None:
        self.alive = False
        for idle in list(self._idle):
            idle.end()
        gevent.spawn_later(self._grace, self.wsgi.extensions[EXTENSION].lifecycle.end)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection. The waits for its requests are bounded by `timeout_ctx`."""
        connection = _Connection(client.family, client.type, client.proto, client.detach())
        connection.settimeout(None)
        AsyncWorker.handle(self, listener, connection, addr)  # GeventWorker's would take the time-out off

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> bool:
        """Serve one request; a client that stands still does not keep it for ever. One that was answered before its
        body was read ends its connection: gunicorn would read the rest first, whatever its size, without ever
        yielding to another call."""
        if self._drains:
            req.force_close()
        sock.settimeout(self.wsgi.extensions[EXTENSION].settings.client_timeout_seconds)
        keep: bool = super().handle_request(listener_name, req, sock, addr)
        sock.settimeout(None)
        if _unread(req):
            self._linger(sock)
            raise StopIteration
        return keep

    def _linger(self, sock: Any) -> None:
        _linger(sock, LINGER_SECONDS if self.alive else LAST_LINGER_SECONDS)

    def timeout_ctx(self) -> Wait:
        """Around the wait for a connection's next request."""
        return Wait(self.cfg.keepalive if self.alive else LAST_CHANCE, False, self._idle)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """A request that never reached the application: answer in JSON, say nothing of what was sent."""
        request_id = secrets.token_hex(16)
        status = next((status for kind, status in _STATUSES if isinstance(exc, kind)), 500)
        if status == 500:
            log.error("request failed before the application", request_id=request_id, exc_info=exc)
        else:
            log.info("malformed request", request_id=request_id, status=status, kind=type(exc).__name__)
        message = AIProxyError.message if status == 500 else HTTPStatus(status).phrase + "."
        body = msgspec.json.encode(openai_error(message, openai_type(status), "malformed_request", None))
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-Request-ID: {request_id}\r\n\r\n"
        )
        try:
            util.write_nonblock(client, head.encode("latin-1") + body)
        except OSError:
            log.debug("nobody left to answer")
        self._linger(client)


def _unread(req: Any) -> bool:
    """Whether a part of a request's body is still to come, or to be read."""
    reader = req.body.reader if req.body is not None else None
    if isinstance(reader, LengthReader):
        return bool(reader.length)
    return isinstance(reader, ChunkedReader) and reader.parser is not None


def _linger(sock: Any, seconds: float) -> None:
    """Take what still comes for a moment, so that the client reads the answer and not a reset (RFC 9112, 9.6)."""
    with suppress(OSError), Wait(seconds, False):
        sock.shutdown(SHUT_WR)
        while sock.recv(LINGER_BYTES):
            gevent.sleep(0.01)


class _Connection(gevent.socket.socket):
    """A client's socket that sends small blocks with one call to the system: gevent's own asks for the
    size of the send buffer before each."""

    __slots__ = ()

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of `data`. A client that stops reading counts as gone."""
        try:
            sent = self.send(data, flags)
            if sent < len(data):
                super().sendall(memoryview(data)[sent:], flags)
        except TimeoutError as error:
            raise ConnectionResetError(ECONNRESET, "the client stopped reading") from error
