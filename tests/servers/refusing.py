"""A Secrets Manager that refuses in the ways in which moto does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.upstream.ports import LOOPBACK

Reply = tuple[int, dict[str, Any]]
Answer = Callable[[str, dict[str, Any]], Reply]


def refusal(code: str, status: int = 400) -> Reply:
    """How AWS refuses (JSON 1.1)."""
    return status, {"__type": code, "message": "as the test wants it"}


class Refusing:
    """Answers each operation with what `answer(operation, fields)` gives. `operations` are those that were asked."""

    def __init__(self, answer: Answer, host: str = LOOPBACK) -> None:
        self.answer = answer
        self.operations: list[str] = []
        self._server = ThreadingHTTPServer((host, 0), self._handler())
        self.url = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Refusing:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                operation = self.headers["X-Amz-Target"].partition(".")[2]
                fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.operations.append(operation)
                status, body = outer.answer(operation, fields)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        return Handler
