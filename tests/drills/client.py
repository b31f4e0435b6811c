"""A client on a plain socket, which can do what no polite one does."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.upstream import Gateway
from tests.upstream.ports import LOOPBACK

SECONDS = 30.0  # for what should take a moment
HELLO = [{"role": "user", "content": "Grüezi"}]
USUAL: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": HELLO},
    "/v1/completions": {"prompt": "Grüezi"},
    "/v1/responses": {"input": "Grüezi"},
    "/v1/messages": {"messages": HELLO, "max_tokens": 9},
    "/v1/audio/speech": {"input": "Grüezi", "voice": "alloy"},
    "/v1/embeddings": {"input": "Grüezi"},
}
CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
RESPONSES = "/v1/responses"


@dataclass(frozen=True)
class Said:
    """An answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


class Connection:
    """One connection to a gateway."""

    def __init__(self, gateway: Gateway, *, key: str | None = None) -> None:
        self.sock = socket.create_connection((LOOPBACK, int(gateway.settings["PORT"])), SECONDS)
        self._key = gateway.key if key is None else key
        self._answer: http.client.HTTPResponse | None = None

    def head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        """A request's head, with the gateway's key unless `headers` has one."""
        fields = {"Host": "localhost", "Authorization": f"Bearer {self._key}", **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def post(self, path: str, body: bytes, **headers: str) -> None:
        """Send a request, all of it."""
        named = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.sock.sendall(self.head("POST", path, named) + body)

    def ask(self, model: str, path: str = CHAT, **fields: Any) -> None:
        """Send a call for a model."""
        self.post(path, json.dumps({"model": model, **USUAL[path], **fields}).encode())

    def answer(self) -> http.client.HTTPResponse:
        """Wait for the head of the answer."""
        if self._answer is None:
            self._answer = http.client.HTTPResponse(self.sock)
            self._answer.begin()
        return self._answer

    def said(self) -> Said:
        """The whole answer."""
        answer = self.answer()
        said = Said(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        answer.close()
        self._answer = None
        return said

    def blocks(self) -> Iterator[bytes]:
        """What is left of a chunked answer, one chunk after the other: what the server wrote at once."""
        file = self.answer().fp
        while size := int(file.readline(), 16):
            block = file.read(size)
            file.readline()
            yield block

    def events(self, count: int) -> bytes:
        """The first events of a stream, as soon as they are there."""
        seen = b""
        blocks = self.blocks()
        while seen.count(b"\n\n") < count:
            seen += next(blocks)
        return seen

    def close(self, *, abruptly: bool = False) -> None:
        """Leave: in an orderly way (FIN), or with a reset (RST)."""
        if abruptly:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self._answer is not None:
            self._answer.close()
        self.sock.close()


def begin_upload(connection: Connection, model: str, sound: int, end: bytes | None = None) -> None:
    """A form for a transcription, all but its `end`; without one a million bytes more are announced."""
    form = (
        f'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    ).encode() + bytes(sound)
    length = len(form) + (1_000_000 if end is None else len(end))
    fields = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(length)}
    connection.sock.sendall(connection.head("POST", "/v1/audio/transcriptions", fields) + form)


@contextmanager
def connected(gateway: Gateway, *, key: str | None = None) -> Iterator[Connection]:
    """A connection that is closed at the end."""
    with closing(Connection(gateway, key=key)) as made:
        yield made


def ask(gateway: Gateway, model: str, path: str = CHAT, **fields: Any) -> Said:
    """One call for a model on a connection of its own."""
    with connected(gateway) as connection:
        connection.ask(model, path, **fields)
        return connection.said()


def post(gateway: Gateway, path: str, body: bytes, **headers: str) -> Said:
    """One POST of these very bytes."""
    with connected(gateway) as connection:
        connection.post(path, body, **headers)
        return connection.said()


def stream(gateway: Gateway, model: str, path: str = CHAT, **fields: Any) -> bytes:
    """A streamed answer, all of it."""
    said = ask(gateway, model, path, stream=True, **fields)
    assert said.status == 200, said.body
    return said.body


def access_line(gateway: Gateway, said: Said) -> dict[str, Any]:
    """The access line of the request that got this answer."""
    request_id = said.headers["x-request-id"]
    return gateway.wait_for_line(lambda line: line["event"] == "request" and line["request_id"] == request_id)


def error_of(raw: bytes, path: str) -> str:
    """The code (or Anthropic's type) of the error event in which a stream ends."""
    last = raw[:-2].rpartition(b"\n\n")[2]
    data: dict[str, Any] = json.loads(last.partition(b"data: ")[2])
    if path == MESSAGES:
        assert last.startswith(b"event: error\n")
        return str(data["error"]["type"])
    if path == RESPONSES:
        assert last.startswith(b"event: error\n")
        return str(data["code"])
    assert last.startswith(b"data: ")
    return str(data["error"]["code"])
