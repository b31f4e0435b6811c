"""Each behaviour by its name, as a client sees it on the wire."""

from __future__ import annotations

import gzip
import http.client
import itertools
import socket
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
import pytest

from tests.upstream import Recipe, Upstream
from tests.upstream.behaviours import ROWS
from tests.upstream.openai_chat import DONE
from tests.upstream.test_upstream import CHAT, MESSAGES, events, post

RESPONSES = "/v1/responses"
TEXT = Recipe().text
SOUND = ["ok", "stream", "slow-0.01", "slow-body-0.01", "slow-middle-0.01", "interim", "one-write", "one-chunk",
         "split", "split-utf8", "bytewise", "trailers", "last-close", "idle-close", "no-length", "http10"]  # fmt: skip
PATHS = [CHAT, "/v1/completions", RESPONSES, MESSAGES]
LIMIT = 1_000_000  # bytes that are enough of something endless


def collect(upstream: Upstream, path: str, body: dict[str, Any], quiet: float = 0.1) -> tuple[bytes, str]:
    """Everything on the wire until the end, and how it ended: closed, reset, silent or endless."""
    data = msgspec.json.encode(body)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
    seen = b""
    with socket.create_connection((upstream.host, upstream.port), 5) as sock:
        sock.sendall(head.encode() + data)
        sock.settimeout(quiet)
        while len(seen) < LIMIT:
            try:
                more = sock.recv(65536)
            except TimeoutError:
                return seen, "silent"
            except ConnectionResetError:
                return seen, "reset"
            if not more:
                return seen, "closed"
            seen += more
    return seen, "endless"


def text_of(path: str, body: bytes, stream: bool) -> str:
    """The text of an answer, by the dialect of its path."""
    if not stream:
        whole = msgspec.json.decode(body)
        return str({
            CHAT: lambda: whole["choices"][0]["message"]["content"],
            "/v1/completions": lambda: whole["choices"][0]["text"],
            RESPONSES: lambda: whole["output"][0]["content"][0]["text"],
            MESSAGES: lambda: whole["content"][0]["text"],
        }[path]())  # fmt: skip
    if path == CHAT:
        return "".join(e["choices"][0]["delta"].get("content") or "" for e in events(body) if e["choices"])
    if path == "/v1/completions":
        return "".join(e["choices"][0]["text"] for e in events(body) if e["choices"])
    kind = "response.output_text.delta" if path == RESPONSES else "content_block_delta"
    deltas = [e["delta"] for e in events(body) if e["type"] == kind]
    return "".join(delta if isinstance(delta, str) else delta["text"] for delta in deltas)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True])
def test_sound_answers_all_say_the_same(upstream: Upstream, path: str, stream: bool) -> None:
    for name in SOUND:
        status, body = post(upstream, path, {"model": name, "stream": stream})
        assert (status, text_of(path, body, stream)) == (200, TEXT), name
        assert upstream.seen[-1].payload == body


@pytest.mark.parametrize("stream", [False, True])
def test_every_behaviour_plays_on_every_path(upstream: Upstream, stream: bool) -> None:
    brisk = {"slow": "slow-0.01", "slow-body": "slow-body-0.01", "slow-middle": "slow-middle-0.01"}
    paths = [CHAT, RESPONSES, MESSAGES, "/v1/embeddings", "/v1/images/generations", "/v1/audio/speech"]
    for name, path in itertools.product(ROWS, paths):
        still = name.startswith("silent") or name == "no-end"
        body = {"model": brisk.get(name, name), "stream": stream}
        seen, end = collect(upstream, path, body, quiet=0.03 if still else 5)
        assert seen or name in {"silent", "cut", "close"}, (name, path)
        assert end == "silent" if still else end != "silent", (name, path)
    assert upstream.complaints == []


@pytest.mark.parametrize(
    ("name", "end", "tail"),
    [
        ("silent", "silent", b""),
        ("silent-head", "silent", b"\r\n\r\n"),
        ("silent-stream", "silent", b"\n\n\r\n"),
        ("cut", "reset", b""),
        ("close", "closed", b""),
        ("cut-body", "reset", b"\n\n\r\n"),
        ("close-body", "closed", b"\n\n\r\n"),
        ("close-half", "closed", b"\r\n0\r\n\r\n"),
        ("no-end", "silent", b"data: [DONE]\n\n\r\n"),
        ("close-end", "closed", b"data: [DONE]\n\n\r\n"),
        ("junk-status", "closed", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n"),
        ("junk-chunk", "closed", b"zz\r\nnot a chunk\r\n"),
        ("endless-header", "endless", b"aaaa"),
        ("endless-line", "endless", b""),
    ],
)
def test_how_a_faulty_stream_ends(upstream: Upstream, name: str, end: str, tail: bytes) -> None:
    seen, how = collect(upstream, CHAT, {"model": name, "stream": True})
    assert how == end
    assert seen.endswith(tail)


@pytest.mark.parametrize(
    ("name", "end"), [("cut-chunk", "reset"), ("close-chunk", "closed"), ("silent-half", "silent")]
)
def test_content_before_the_fault_is_counted(upstream: Upstream, name: str, end: str) -> None:
    seen, how = collect(upstream, CHAT, {"model": f"{name}-3", "stream": True})
    assert how == end
    fragments = Recipe().fragments
    assert all(f'"{fragment}"'.encode() in seen for fragment in fragments[:3])
    assert f'"{fragments[3]}"'.encode() not in seen
    assert not seen.endswith(b"\n\n\r\n")


@pytest.mark.parametrize(
    ("name", "error"), [("cut-body", ConnectionResetError), ("long-length", http.client.IncompleteRead)]
)
def test_whole_bodies_that_break_off(upstream: Upstream, name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        post(upstream, MESSAGES, {"model": name})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529])
def test_errors_in_the_dialect_of_the_path(upstream: Upstream, status: int) -> None:
    code, openai = post(upstream, CHAT, {"model": f"error-{status}"})
    assert (code, set(msgspec.json.decode(openai)["error"])) == (status, {"message", "type", "param", "code"})
    code, anthropic = post(upstream, MESSAGES, {"model": f"error-{status}"})
    shape = msgspec.json.decode(anthropic)
    assert (code, shape["type"], set(shape["error"])) == (status, "error", {"type", "message"})


def test_patience_is_asked_for_in_three_ways(upstream: Upstream) -> None:
    found = []
    for model in ("retry-after-7", "retry-ms-250", "retry-date-60-503"):
        seen, _ = collect(upstream, CHAT, {"model": model})
        head = seen.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:])
        found.append((head[0].split()[1], fields["Retry-After"], fields.get("retry-after-ms")))
    assert found[:2] == [("429", "7", None), ("429", "1", "250")]
    assert found[2][0] == "503"
    assert parsedate_to_datetime(found[2][1]).year > 2000


@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
def test_errors_inside_a_200(upstream: Upstream, path: str) -> None:
    status, whole = post(upstream, path, {"model": "false-ok"})
    assert (status, "error" in msgspec.json.decode(whole)) == (200, True)
    status, body = post(upstream, path, {"model": "false-ok", "stream": True})
    assert (status, len(events(body))) == (200, 1)
    assert "overloaded" in body.decode()
    _, body = post(upstream, path, {"model": "error-after-2", "stream": True})
    assert text_of(path, b"\n".join(body.split(b"\n\n")[:-2]), stream=True) == "Zwölf gulls "
    assert "overloaded" in str(events(body)[-1])


def test_openai_usage_only_when_asked(upstream: Upstream) -> None:
    asked = {"model": "cached", "stream": True, "stream_options": {"include_usage": True}}
    chunks = events(post(upstream, CHAT, asked)[1])
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["prompt_tokens_details"]["cached_tokens"] == 1024
    assert all("usage" not in chunk for chunk in events(post(upstream, CHAT, {"model": "ok", "stream": True})[1]))


def test_anthropic_usage_counts_the_cache_apart(upstream: Upstream) -> None:
    start, *_, delta, _stop = events(post(upstream, MESSAGES, {"model": "cached", "stream": True})[1])
    usage = start["message"]["usage"]
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (21, 1024, 1)
    assert delta["usage"] == {"output_tokens": 37}


def test_tool_calls_come_in_fragments(upstream: Upstream) -> None:
    tools = [{"type": "function", "function": {"name": "get_fog"}}]
    chunks = events(post(upstream, CHAT, {"model": "tools", "stream": True, "tools": tools})[1])
    parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls", [])]
    arguments = ["".join(p["function"].get("arguments", "") for p in parts if p["index"] == n) for n in (0, 1)]
    assert msgspec.json.decode(arguments[0]) == {"place": "Zürich", "unit": "celsius"}
    assert msgspec.json.decode(arguments[1]) == {"place": 'Lindau "Hafen" ⚓'}
    assert {p["function"]["name"] for p in parts if "id" in p} == {"get_fog"}
    pieces = events(post(upstream, MESSAGES, {"model": "tools", "stream": True})[1])
    deltas = [e["delta"]["partial_json"] for e in pieces if e["type"] == "content_block_delta" and e["index"] == 1]
    assert msgspec.json.decode("".join(deltas)) == {"place": 'Lindau "Hafen" ⚓'}


def test_writes_that_split_characters(upstream: Upstream) -> None:
    seen, _ = collect(upstream, CHAT, {"model": "split-utf8", "stream": True})
    assert b"data: [DONE]" in seen
    call = upstream.seen[-1]
    assert len(call.events) > sum(ord(character) > 127 for character in TEXT)
    assert "Zwölf".encode() not in seen
    assert "Zwölf".encode() in call.payload


def test_lines_and_encodings(upstream: Upstream) -> None:
    body = {"stream": True}
    assert b"\r\n\r\n" in post(upstream, CHAT, body | {"model": "crlf"})[1]
    lines = post(upstream, CHAT, body | {"model": "multiline"})[1].split(b"\n\n")[1]
    assert lines.count(b"\ndata: ") > 3
    joined = b"\n".join(line.removeprefix(b"data: ") for line in lines.split(b"\n"))
    assert msgspec.json.decode(joined)["choices"][0]["delta"] == {"content": "Zwölf "}
    assert text_of(CHAT, gzip.decompress(post(upstream, CHAT, body | {"model": "gzip"})[1]), stream=True) == TEXT
    assert post(upstream, CHAT, body | {"model": "no-done"})[1].find(DONE) == -1


def test_binary_audio_in_chunks(upstream: Upstream) -> None:
    status, audio = post(upstream, "/v1/audio/speech", {"model": "stream-4", "input": "x", "voice": "alloy"})
    assert (status, len(audio), set(audio)) == (200, 4 * 3072, set(range(256)))
    assert len(upstream.seen[0].events) == 4


def test_a_refusal_before_the_body_is_read(upstream: Upstream) -> None:
    upstream.plan("early-413")
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection((upstream.host, upstream.port), 5) as sock:
        sock.sendall(head.encode() + b"x" * 1000)
        assert sock.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert upstream.seen == []


def test_a_kept_connection_is_closed_unannounced(upstream: Upstream) -> None:
    connection = http.client.HTTPConnection(upstream.host, upstream.port, timeout=5)
    connection.request("POST", CHAT, b'{"model": "idle-close"}')
    answer = connection.getresponse()
    assert (answer.read() != b"", answer.getheader("connection")) == (True, None)
    upstream.wait(lambda seen: seen.connections == 0)
    connection.close()
