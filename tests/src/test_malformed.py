"""What never reaches the application: broken HTTP gets a 4xx in JSON, nothing of it is repeated, the worker goes on."""

from __future__ import annotations

import re
import socket
from time import sleep

import pytest

from tests.src.conftest import BEARER
from tests.src.wire import SECONDS, Said, address, ask, send
from tests.upstream import Gateway

KEY_LINE = f"Authorization: {BEARER['Authorization']}\r\n".encode()
MARK = b"zqMARKqz"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + KEY_LINE


def assert_json_error(answer: Said) -> None:
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert MARK not in answer.body + repr(answer.headers).encode()


def assert_named(server: Gateway, answer: Said) -> None:
    """The answer has an id, by which its line in the log is found."""
    request_id = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", request_id)
    line = server.wait_for_line(lambda line: line.get("request_id") == request_id)
    assert (line["event"], line["status"]) == ("malformed request", answer.status)


@pytest.mark.parametrize(("data", "status"), [
    (MARK + b"\r\n\r\n", 400),
    (b"GET\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
    (b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + MARK + b"\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00" + MARK + b"\r\n\r\n", 400),
    (b"GET /" + MARK * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + MARK * 9000 + b"\r\n\r\n", 431),
    (POST + b"Content-Length: -1\r\n\r\n", 400),
    (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
    (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
], ids=range(11))  # fmt: skip
def test_broken_http(server: Gateway, data: bytes, status: int) -> None:
    answer = send(server, data)
    assert answer.status == status
    assert_json_error(answer)
    assert_named(server, answer)
    assert ask(server, "GET", "/health").status == 200


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    POST + b"Transfer-Encoding: " + MARK + b"\r\n\r\n",
], ids=["many-headers", "transfer-coding"])  # fmt: skip
def test_broken_http_of_which_the_two_parsers_think_differently(server: Gateway, data: bytes) -> None:
    answer = send(server, data)
    assert answer.status in (400, 431, 501)
    assert answer.headers["connection"] == "close"
    assert_json_error(answer)
    assert_named(server, answer)


def test_a_header_of_a_megabyte_gets_an_answer_and_no_reset(server: Gateway) -> None:
    head = POST + b"X-Long: " + MARK * 120_000 + b"\r\nContent-Length: 100000\r\n\r\n"
    with socket.create_connection(address(server), SECONDS) as sock:
        sock.sendall(head)
        sleep(0.3)  # refused by now, but the client goes on
        sock.sendall(b"x" * 100_000)
        said = b"".join(iter(lambda: sock.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 431 ")
    assert MARK not in said


@pytest.mark.parametrize("data", [
    POST + b"Content-Length: 2\r\n\r\n[]",
    POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
], ids=["list", "gzip"])  # fmt: skip
def test_a_broken_body(server: Gateway, data: bytes) -> None:
    answer = send(server, data)
    assert answer.status == 400
    assert_json_error(answer)
    assert ask(server, "GET", "/health").status == 200


def test_a_chunked_body_is_read(server: Gateway) -> None:
    body = b'{"model": "echo", "messages": [{"role": "user", "content": "Hoi"}]}'
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[at : at + 9]), body[at : at + 9]) for at in range(0, len(body), 9))
    answer = send(server, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert (answer.status, answer.json["choices"][0]["message"]["content"]) == (200, "Hoi")


def test_the_body_of_a_refused_request_is_not_the_next_request(server: Gateway) -> None:
    inner = b"GET /test HTTP/1.1\r\nHost: localhost\r\n\r\n"
    refused = POST.replace(KEY_LINE, b"") + b"Content-Length: %d\r\n\r\n" % len(inner) + inner
    with socket.create_connection(address(server), SECONDS) as sock:
        sock.sendall(refused + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        said = b"".join(iter(lambda: sock.recv(65536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"401"]  # what nobody read ends the connection
