"""What stands between the scripts and the account: it holds an answer back, refuses a call, or changes what is said.

door.hold("ExecuteChangeSet")      the next one is carried out, and its answer waits
door.wait_held()                   ... until it does
door.release()                     the answer goes out
door.refuse("DescribeStacks", 3)   the next three are throttled
door.say("DescribeStacks", CREATE_COMPLETE="CREATE_IN_PROGRESS")
"""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.upstream.ports import LOOPBACK

PATIENCE = 60.0
HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}
REFUSAL = """<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>\
<Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"""


class Door:
    """A proxy on loopback, for the length of a block."""

    def __init__(self, endpoint: str) -> None:
        self.behind = urlsplit(endpoint)
        self.bodies: list[tuple[str, dict[str, list[str]]]] = []  # of the query protocol
        self.closed = False  # every call is refused
        self._held = ""
        self._reached, self._released = threading.Event(), threading.Event()
        self._refused: dict[str, list[tuple[str, str]]] = {}
        self._said: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer((LOOPBACK, 0), type("Here", (_Handler,), {"door": self}))
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"

    @property
    def asked(self) -> list[str]:
        """The actions, in order."""
        return [action for action, _ in self.bodies]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def hold(self, action: str) -> None:
        """The answer to the next call of this action waits for `release`."""
        self._reached.clear()
        self._released.clear()
        self._held = action

    def wait_held(self) -> None:
        """Wait until the call has come and was carried out."""
        assert self._reached.wait(PATIENCE), self.asked

    def release(self) -> None:
        """Let the answer go."""
        self._released.set()

    def refuse(self, action: str, times: int, code: str = "Throttling", message: str = "Rate exceeded") -> None:
        """The next calls of this action get an error; `times` counts what the CLI tries again by itself."""
        self._refused[action] = [(code, message)] * times

    def refusal(self, action: str) -> str | None:
        """The error that a call is to get."""
        if self.closed:
            return REFUSAL.format(code="Closed", message="Nobody is let in")
        waiting = self._refused.get(action)
        if not waiting:
            return None
        code, message = waiting.pop()
        return REFUSAL.format(code=code, message=message)

    def say(self, action: str, **instead: str) -> None:
        """Words of the answers to an action, and what stands in their place."""
        self._said[action] = instead

    def passed(self, action: str, content: bytes) -> bytes:
        """Called when a call has been carried out: what is said of it."""
        if action == self._held:
            self._held = ""
            self._reached.set()
            assert self._released.wait(PATIENCE)
        for old, new in self._said.get(action, {}).items():
            content = content.replace(old.encode(), new.encode())
        return content


class _Handler(BaseHTTPRequestHandler):
    door: Door
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Any call; those of the query protocol have their action in the body, others in a header."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        fields = {} if target else parse_qs(body.decode(errors="replace"))
        action = target or (fields.get("Action") or [""])[0]
        self.door.bodies.append((action, fields))
        if refusal := self.door.refusal(action):
            self._answer(400, {"Content-Type": "text/xml"}, refusal.encode())
            return
        connection = HTTPConnection(self.door.behind.hostname or "", self.door.behind.port, timeout=PATIENCE)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = self.door.passed(action, answer.read())
        connection.close()
        self._answer(answer.status, dict(answer.headers), content)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST  # noqa: N815 - http.server's names

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # who asked has gone
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing."""
