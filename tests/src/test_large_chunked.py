"""A body over the limit that does not say its size."""

from __future__ import annotations

from collections.abc import Callable

from tests.src.test_malformed import POST, assert_json_error
from tests.src.wire import send
from tests.upstream import Gateway


def test_a_large_body_in_chunks(prepared: Callable[..., Gateway]) -> None:
    server = prepared(MAX_BODY_BYTES="4096")
    server.start()
    body = b'{"model": "echo", "messages": [{"role": "user", "content": "' + b"x" * 8192 + b'"}]}'
    answer = send(server, POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    assert answer.status == 413
    assert_json_error(answer)
