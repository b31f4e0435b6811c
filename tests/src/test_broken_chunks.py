"""A body in broken chunks is the caller's fault, and answered as such."""

from __future__ import annotations

import pytest

from tests.src.test_malformed import POST, assert_json_error
from tests.src.wire import send
from tests.upstream import Gateway

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("data", [
    CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"2\r\n{}zz\r\n0\r\n\r\n",
    CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
], ids=["size", "end", "negative"])  # fmt: skip
def test_a_body_in_broken_chunks(server: Gateway, data: bytes) -> None:
    answer = send(server, data)
    assert answer.status == 400
    assert_json_error(answer)
