"""A small web server in a thread, for the length of a block."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from tests.upstream.ports import LOOPBACK


class Handler(BaseHTTPRequestHandler):
    """One that says nothing of the calls it gets."""

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def reply(self, status: int, data: bytes, **headers: str) -> None:
        """A whole answer. A header's name has `_` for `-`."""
        self.send_response(status)
        for name, value in {**headers, "Content_Length": str(len(data))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)


class Serving:
    """Listens on a free port of `host` at once, and answers within the block."""

    def __init__(self, handler: type[Handler], host: str = LOOPBACK) -> None:
        self._server = ThreadingHTTPServer((host, 0), handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
