"""The upstream itself: what it records, what it says, how it notices that a client left."""

from __future__ import annotations

import base64
import http.client
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import msgspec
import pytest

from tests.upstream import Behaviour, Call, Close, Send, Steps, Upstream
from tests.upstream.gateway import ROOT

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


def connect(upstream: Upstream) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(upstream.host, upstream.port, timeout=5)


def post(upstream: Upstream, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """One call over a connection of its own: status and body."""
    with closing(connect(upstream)) as connection:
        connection.request("POST", path, msgspec.json.encode(body), {"Content-Type": "application/json"})
        with connection.getresponse() as answer:
            return answer.status, answer.read()


def events(body: bytes) -> list[dict[str, Any]]:
    """The data of each event, [DONE] left out."""
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [msgspec.json.decode(line) for line in lines if line != b"[DONE]"]


def raw(upstream: Upstream, head: str, body: bytes = b"") -> socket.socket:
    """A socket on which a request was sent as written."""
    sock = socket.create_connection((upstream.host, upstream.port), 5)
    sock.sendall(head.replace("\n", "\r\n").encode() + body)
    return sock


def read_until(sock: socket.socket, mark: bytes) -> bytes:
    held = b""
    while mark not in held:
        data = sock.recv(4096)
        assert data, held
        held += data
    return held


def streamed(model: str) -> tuple[str, bytes]:
    body = msgspec.json.encode({"model": model, "stream": True, "messages": []})
    return f"POST {CHAT} HTTP/1.1\nHost: x\nContent-Length: {len(body)}\n\n", body


def test_records_a_request_as_it_came(upstream: Upstream) -> None:
    body = b'{"model": "gpt-4o", "messages": []}'
    head = f"POST {CHAT}?trace=1 HTTP/1.1\nHOST: x\nx-Odd-CASE: a\nX-Odd-Case: b\nContent-Length: {len(body)}\n\n"
    sock = raw(upstream, head, body)
    read_until(sock, b"\r\n\r\n")
    sock.close()
    (call,) = upstream.seen
    assert (call.method, call.path, call.route, call.body) == ("POST", f"{CHAT}?trace=1", CHAT, body)
    assert call.headers == [
        ("HOST", "x"), ("x-Odd-CASE", "a"), ("X-Odd-Case", "b"), ("Content-Length", str(len(body))),
    ]  # fmt: skip
    assert (call.number, call.connection, call.model, call.stream) == (1, 1, "gpt-4o", False)
    assert call.header("x-odd-case") == "a"


def test_counts_connections(upstream: Upstream) -> None:
    connection = connect(upstream)
    for _ in range(2):
        connection.request("GET", "/v1/models")
        assert connection.getresponse().read()
    post(upstream, CHAT, {"model": "gpt-4o"})
    assert [call.connection for call in upstream.seen] == [1, 1, 2]
    upstream.wait(lambda seen: seen.connections == 1)
    connection.close()
    upstream.wait(lambda seen: seen.connections == 0)
    assert upstream.cancelled == []


def test_reads_chunked_bodies_and_answers_expect(upstream: Upstream) -> None:
    head = f"POST {CHAT} HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nExpect: 100-continue\n\n"
    sock = raw(upstream, head)
    read_until(sock, b"HTTP/1.1 100 Continue\r\n\r\n")
    assert upstream.seen == []
    sock.sendall(b'7\r\n{"model\r\n')
    upstream.wait(lambda seen: seen.calls[0].arrivals)
    sock.sendall(b'a;x=y\r\n": "gpt4"}\r\n0\r\nX-Trailer: 1\r\n\r\n')
    assert b"200 OK" in read_until(sock, b"\r\n\r\n")
    sock.close()
    (call,) = upstream.seen
    assert call.body == b'{"model": "gpt4"}'
    assert [size for _, size in call.arrivals] == [7, 17]


def test_a_plan_comes_before_the_model_and_is_used_up(upstream: Upstream) -> None:
    upstream.plan("error-503", "html-502")
    statuses = [post(upstream, CHAT, {"model": "error-429"})[0] for _ in range(3)]
    assert statuses == [503, 502, 429]
    assert [call.behaviour for call in upstream.seen] == ["error-503", "html-502", "error-429"]
    assert upstream.planned == []


@pytest.mark.parametrize("name", ["no-such-thing", "slow-1-2", "", "-1"])
def test_a_plan_must_exist(upstream: Upstream, name: str) -> None:
    with pytest.raises(ValueError, match=r"behaviour|numbers"):
        upstream.plan("ok", name)
    assert upstream.planned == []


def test_a_test_may_bring_its_own_behaviour(upstream: Upstream) -> None:
    def play(call: Call) -> Steps:
        yield Send(b"HTTP/1.1 204 No Content\r\nX-Method: " + call.method.encode() + b"\r\n\r\n", "head")
        yield Close()

    upstream.plan(Behaviour("mine", play))
    assert post(upstream, "/anything", {}) == (204, b"")


def test_a_stream_left_early_is_noticed(upstream: Upstream) -> None:
    sock = raw(upstream, *streamed("stream-1000-0.02"))
    read_until(sock, "über".encode())
    assert upstream.live == 1
    left = time.monotonic()
    sock.close()
    upstream.wait(lambda seen: seen.cancelled)
    (call,) = upstream.cancelled
    assert call.left_at is not None
    assert call.left_at >= left
    assert len(call.events) < 1000
    assert all(moment < call.left_at for moment in call.events)
    assert (upstream.live, call.ended_at) == (0, None)


@pytest.mark.parametrize("abruptly", [False, True])
@pytest.mark.parametrize("model", ["silent", "silent-head", "silent-stream", "slow-30"])
def test_leaving_during_silence_is_noticed(upstream: Upstream, model: str, abruptly: bool) -> None:
    sock = raw(upstream, *streamed(model))
    upstream.wait(lambda seen: seen.seen and seen.seen[0].behaviour)
    if abruptly:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    upstream.wait(lambda seen: seen.cancelled)


def test_leaving_during_the_upload_is_noticed(upstream: Upstream) -> None:
    sock = raw(upstream, f"POST {CHAT} HTTP/1.1\nHost: x\nContent-Length: 100\n\n", b"x" * 40)
    upstream.wait(lambda seen: seen.calls and seen.calls[0].arrivals)
    sock.close()
    upstream.wait(lambda seen: seen.cancelled)
    assert upstream.seen == []
    assert upstream.calls[0].arrivals[-1][1] == 40


def test_a_client_that_leaves_after_the_answer_has_not_cancelled(upstream: Upstream) -> None:
    for model in ("stream-3", "ok"):
        sock = raw(upstream, *streamed(model))
        read_until(sock, b"[DONE]")
        sock.close()
    upstream.wait(lambda seen: seen.connections == 0)
    assert upstream.cancelled == []
    assert upstream.live == 0


def test_stopping_ends_every_call_and_blames_nobody() -> None:
    with Upstream() as upstream:
        sock = raw(upstream, *streamed("silent-stream"))
        upstream.wait(lambda seen: seen.calls and len(seen.calls[0].events) == 3)
    assert read_until(sock, b"\r\n\r\n")
    sock.close()
    assert upstream.cancelled == []
    assert upstream.connections == 0


def test_wait_says_what_was_seen(upstream: Upstream) -> None:
    post(upstream, CHAT, {"model": "stream-3"})
    with pytest.raises(TimeoutError, match="1 calls; #1 on connection 1: POST /v1/chat/completions -> stream-3"):
        upstream.wait(lambda seen: len(seen.seen) == 2, timeout=0.02)


@pytest.mark.parametrize(
    "head",
    [
        "GET /v1/models HTTP/1.0\nHost: x\n\n",
        "GET /v1/models\n\n",
        "GET /v1/models HTTP/1.1\n\n",
        "GET /v1/models HTTP/1.1\nHost: x\nno colon\n\n",
        "POST /v1/messages HTTP/1.1\nHost: x\nContent-Length: 2\nTransfer-Encoding: chunked\n\n",
        "POST /v1/messages HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\nzz\n",
    ],
)
def test_broken_requests_are_complained_about(head: str) -> None:
    with Upstream() as upstream:
        sock = raw(upstream, head)
        assert b"400 Bad Request" in read_until(sock, b"\r\n\r\n")
        sock.close()
        assert len(upstream.complaints) == 1


def test_an_upload_is_measured_while_it_arrives(upstream: Upstream) -> None:
    file = bytes(range(256)) * 40
    body = b"".join(
        [
            b'--b0und\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n',
            b'--b0und\r\nContent-Disposition: form-data; name="file"; filename="gulls.mp3"\r\n',
            b"Content-Type: audio/mpeg\r\n\r\n",
            file,
            b"\r\n--b0und--\r\n",
        ]
    )
    head = "POST /v1/audio/transcriptions HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=b0und\n"
    sock = raw(upstream, f"{head}Content-Length: {len(body)}\n\n", body[:5000])
    upstream.wait(lambda seen: seen.calls and seen.calls[0].arrivals and seen.calls[0].arrivals[-1][1] == 5000)
    sock.sendall(body[5000:])
    answer = read_until(sock, b"}}")
    sock.close()
    (call,) = upstream.seen
    assert (call.model, call.file_size, call.stream) == ("whisper-1", len(file), False)
    part = call.parts[1]
    assert (part.filename, part.content_type, part.data) == ("gulls.mp3", "audio/mpeg", file)
    assert call.arrivals[-1][1] == len(body)
    assert "Zwölf gulls".encode() in answer


def test_embeddings_come_as_floats_or_as_base64(upstream: Upstream) -> None:
    body = {"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 4}
    floats = msgspec.json.decode(post(upstream, "/v1/embeddings", body)[1])
    packed = msgspec.json.decode(post(upstream, "/v1/embeddings", body | {"encoding_format": "base64"})[1])
    assert len(floats["data"]) == 2
    for plain, coded in zip(floats["data"], packed["data"], strict=True):
        assert list(struct.unpack("<4f", base64.b64decode(coded["embedding"]))) == plain["embedding"]


def test_many_streams_at_once(upstream: Upstream) -> None:
    def one(_: int) -> int:
        return len(events(post(upstream, CHAT, {"model": "stream-5-0.01", "stream": True})[1]))

    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(one, range(96))) == [7] * 96
    assert len({call.number for call in upstream.seen}) == 96


def test_addresses_that_fail_to_connect(upstream: Upstream) -> None:
    def port(url: str) -> tuple[str, int]:
        return upstream.host, int(url.rpartition(":")[2])

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(port(upstream.refuse), 5)
    with pytest.raises(TimeoutError):
        socket.create_connection(port(upstream.blackhole), 0.2)
    with socket.create_connection(port(upstream.mute), 5) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_the_command_line() -> None:
    command = [sys.executable, "-m", "tests.upstream"]
    shown = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "silent-stream[-CHUNKS=2]" in shown
    with subprocess.Popen([*command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip().removeprefix("OPENAI_BASE_URL=")
            address = url.removeprefix("http://").removesuffix("/v1")
            connection = http.client.HTTPConnection(address, timeout=5)
            connection.request("POST", CHAT, b'{"model": "gpt-4o"}')
            assert connection.getresponse().read()
            connection.close()
            process.stdout.readline()
            assert "POST /v1/chat/completions -> ok" in process.stdout.readline()
        finally:
            process.terminate()
