"""An identity provider on a loopback port that publishes keys, or misbehaves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

JWKS = "/keys.json"
DISCOVERY = "/.well-known/openid-configuration"
Behaviour = Callable[["Issuer", BaseHTTPRequestHandler], None]


class Issuer:
    """`behaviour` answers every request; `asked` lists the paths that were asked for."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self.asked: list[str] = []
        self.behaviour: Behaviour = good
        self.discovery: dict[str, Any] = {}
        self.released = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False  # and so joined at the end
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self.stop()

    def stop(self) -> None:
        """Be gone: nothing listens on the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    @property
    def jwks_url(self) -> str:
        return self.url + JWKS

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                with suppress(OSError):  # the client left first: some are meant to
                    issuer.behaviour(issuer, self)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def answer(handler: BaseHTTPRequestHandler, body: bytes | dict[str, Any], status: int = 200, **headers: str) -> None:
    """A whole answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(data)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def good(issuer: Issuer, handler: BaseHTTPRequestHandler) -> None:
    """Keys, and the discovery document that leads to them."""
    if handler.path.endswith(DISCOVERY):
        answer(handler, {"issuer": issuer.url, "jwks_uri": issuer.jwks_url, **issuer.discovery})
    elif handler.path.startswith(JWKS):
        answer(handler, {"keys": issuer.keys})
    else:
        answer(handler, b"", 404)


def says(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    """This, whatever is asked."""
    return lambda _, handler: answer(handler, body, status, **headers)


def waits(issuer: Issuer, handler: BaseHTTPRequestHandler) -> None:
    """Silence until the test lets it answer."""
    issuer.released.wait(30)
    good(issuer, handler)


def trickles_head(_: Issuer, handler: BaseHTTPRequestHandler) -> None:
    """A head without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _trickle(handler)


def trickles_body(_: Issuer, handler: BaseHTTPRequestHandler) -> None:
    """A body without end, a little at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    _trickle(handler)


def floods(_: Issuer, handler: BaseHTTPRequestHandler) -> None:
    """A body without end and without a stated length."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n{"keys": "')
    for _round in range(10_000):
        handler.wfile.write(b"x" * 65536)


def cuts(_: Issuer, handler: BaseHTTPRequestHandler) -> None:
    """Less than was announced."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"keys": [')


def _trickle(handler: BaseHTTPRequestHandler) -> None:
    for _round in range(1000):
        handler.wfile.write(b"x")
        time.sleep(0.02)
