"""Asking the echo: directly, and through a real socket for the vendors' own SDKs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from lib.providers.base import Answer, Outgoing
from lib.providers.echo import EchoProvider
from lib.wire import PATHS, Event, Path, events

NOW = 1_700_000_000
PATIENCE = 30.0
BY_NAME = {path.name: path for path in PATHS}
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "Hello big world"}]
BODIES: dict[str, dict[str, Any]] = {
    "chat_completions": {"messages": HELLO},
    "completions": {"prompt": "Hello big world"},
    "responses": {"input": "Hello big world"},
    "embeddings": {"input": "Hello big world"},
    "moderations": {"input": "Hello big world"},
    "images_generations": {"prompt": "Hello big world"},
    "audio_speech": {"input": "Hello big world", "voice": "alloy"},
    "messages": {"messages": HELLO, "max_tokens": 100},
    "messages_count_tokens": {"messages": HELLO},
}
"""The smallest body of every path that takes JSON."""


@dataclass(frozen=True)
class Got:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def events(self) -> list[Event]:
        return list(events(self.body))

    @property
    def data(self) -> list[Any]:
        """What the events hold, the mark of the end left out."""
        return [msgspec.json.decode(event.data) for event in self.events if event.data != b"[DONE]"]


def prepare(name: str, body: Any = None, model: str = "echo", *, stream: bool = False, **more: Any) -> Answer:
    """An answer of the path with this name that was not started. `more` goes into the body."""
    given = BODIES[name] if body is None else body
    if isinstance(given, dict):
        given = msgspec.json.encode({"model": model, "stream": stream, **given, **more})
    return EchoProvider(clock=lambda: NOW + 0.75).send(
        Outgoing(path=BY_NAME[name], model=model, body=given, stream=stream)
    )


def blocks(answer: Answer) -> Iterator[bytes]:
    """Everything an answer says, block by block."""
    while (block := answer.read(PATIENCE)) != b"":
        assert block is not None, "silent"
        yield block


def finish(answer: Answer) -> Got:
    """An answer read to its end."""
    assert answer.start(PATIENCE)
    body = b"".join(blocks(answer))
    answer.close()
    return Got(answer.status, dict(answer.headers), body)


def ask(name: str, body: Any = None, model: str = "echo", *, stream: bool = False, **more: Any) -> Got:
    """Ask and read the answer to its end."""
    return finish(prepare(name, body, model, stream=stream, **more))


def form(fields: dict[str, str], file: bytes | None = b"RIFF", file_name: str = "a.wav", boundary: str = "b") -> bytes:
    """A multipart body."""
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]  # fmt: skip
    if file is not None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        parts.append(head.encode() + b"Content-Type: audio/wav\r\n\r\n" + file + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def upload(
    body: bytes | Iterable[bytes], model: str = "echo", *, stream: bool = False, content_type: str | None = None
) -> Got:
    """Ask for a transcription."""
    return finish(
        EchoProvider(clock=lambda: NOW).send(
            Outgoing(
                path=BY_NAME["audio_transcriptions"],
                model=model,
                body=body,
                stream=stream,
                content_type=content_type or "multipart/form-data; boundary=b",
            )
        )
    )


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to the echo, and its answer back as it comes."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        path = next(path for path in PATHS if path.route == self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        answer = EchoProvider(clock=lambda: NOW).send(self._outgoing(path, body))
        assert answer.start(PATIENCE)
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name != "content-length":
                self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        for block in blocks(answer):
            self.wfile.write(block)
        self.close_connection = True

    def _outgoing(self, path: Path, body: bytes) -> Outgoing:
        content_type = self.headers["content-type"]
        if path.multipart:
            stream = b'name="stream"\r\n\r\ntrue' in body
            return Outgoing(path=path, model="echo", body=[body], stream=stream, content_type=content_type)
        asked = msgspec.json.decode(body)
        return Outgoing(path=path, model=asked.get("model", ""), body=body, stream=asked.get("stream") is True)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


@contextmanager
def served() -> Iterator[str]:
    """The URL of the echo behind a loopback socket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
