"""A client that leaves is noticed, also when its body came later than its head, as SDKs send it."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from tests.upstream import Upstream


def test_a_client_that_leaves_is_noticed_though_its_body_came_late(upstream: Upstream, gateway: Any) -> None:
    server = gateway(upstream)
    body = json.dumps({"model": "openai/silent", "messages": [{"role": "user", "content": "hi"}]}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as sock:
        sock.sendall(head)
        time.sleep(0.2)
        sock.sendall(body)
        upstream.wait(lambda seen: seen.seen)
    upstream.wait(lambda seen: seen.cancelled)


def test_a_client_that_leaves_after_a_large_upload_is_noticed(upstream: Upstream, gateway: Any) -> None:
    """Larger than what is read ahead: the rest is read while the client is being watched."""
    server = gateway(upstream)
    form = (
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nopenai/silent\r\n--b\r\n'
        b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"x" * 2_000_000 + b"\r\n--b--\r\n"
    )
    head = (
        f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(form)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as sock:
        sock.sendall(head + form)
        upstream.wait(lambda seen: seen.seen)
    upstream.wait(lambda seen: seen.cancelled)
