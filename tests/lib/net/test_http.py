"""The HTTP client against a vendor on a real socket: every way of framing an answer, and which connections it keeps."""

from __future__ import annotations

import re

import gevent
import msgspec
import pytest

from lib.base.errors import VendorProtocolError, VendorUnreachable
from lib.net import HttpClient
from tests.lib.net.calls import answer, failure, request, rest, started
from tests.upstream import Behaviour, Close, End, Send, Steps, Upstream, Wait
from tests.upstream import Call as Seen

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def raw(*steps: bytes, close: bool = False) -> Behaviour:
    """An answer in these very writes."""

    def play(call: Seen) -> Steps:
        for step in steps:
            yield Send(step)
            yield Wait(0.005)
        yield End()
        if close:
            yield Close()

    return Behaviour("raw", play)


# ---- what is sent ----


def test_the_request_arrives_as_it_was_given(client: HttpClient, upstream: Upstream) -> None:
    body = b'{"model": "m", "temperature": 1.0, "x": "\\u00e9"}'
    status, _ = answer(client, request(upstream.url, body, headers=[("x-first", "1"), ("x-second", "\xe9")]))
    (call,) = upstream.calls
    assert (status, call.method, call.path, call.body) == (200, "POST", "/v1/chat/completions", body)
    assert call.headers == [
        ("host", f"127.0.0.1:{upstream.port}"),
        ("accept-encoding", "identity"),
        ("content-type", "application/json"),
        ("x-first", "1"),
        ("x-second", "\xe9"),
        ("content-length", str(len(body))),
    ]


def test_a_body_in_pieces_is_sent_by_its_length_or_in_chunks(client: HttpClient, upstream: Upstream) -> None:
    pieces = [b'{"model":', b"", b'"m"}']
    answer(client, request(upstream.url, iter(pieces), length=13))
    answer(client, request(upstream.url, iter(pieces)))
    by_length, by_chunks = upstream.calls
    assert by_length.body == by_chunks.body == b'{"model":"m"}'
    assert (by_length.header("content-length"), by_length.header("transfer-encoding")) == ("13", None)
    assert (by_chunks.header("content-length"), by_chunks.header("transfer-encoding")) == (None, "chunked")


def test_a_large_body_arrives_whole(client: HttpClient, upstream: Upstream) -> None:
    body = msgspec.json.encode({"model": "m", "text": "0123456789" * 1_000_000})
    assert answer(client, request(upstream.url, body))[0] == 200
    assert upstream.calls[0].body == body


def test_a_get_has_no_body(client: HttpClient, upstream: Upstream) -> None:
    status, body = answer(client, request(upstream.url, b"", method="GET", target="/v1/models"))
    assert (status, b'"object":"list"' in body) == (200, True)


# ---- what comes back ----

FRAMINGS = [
    "ok", "big-300", "slow-body-0.01", "interim", "early-hints", "trailers", "last-close", "no-length", "http10",
    "one-write", "one-chunk", "split", "split-utf8", "bytewise", "crlf", "comments", "gzip",
]  # fmt: skip


@pytest.mark.parametrize("behaviour", FRAMINGS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_every_framing_gives_the_same_bytes(
    client: HttpClient, upstream: Upstream, behaviour: str, stream: bool
) -> None:
    upstream.plan(behaviour)
    with started(client, request(upstream.url, stream=stream)) as exchange:
        assert exchange.status == 200
        assert dict(exchange.headers)["content-type"].startswith("text/event-stream" if stream else "application/json")
        body = b"".join(rest(exchange))
    text = "".join(re.findall(r'"content":"([^"]*)"', body.decode()))
    if behaviour.startswith("big"):
        assert len(text) == 300_000
    else:
        assert text == "Zwölf gulls über 港 🐦 "
    if behaviour != "gzip":
        assert body == bytes(upstream.calls[0].payload)


@pytest.mark.parametrize("status", [201, 400, 404, 413, 429, 500, 503, 529])
def test_a_status_is_no_failure_of_the_exchange(client: HttpClient, upstream: Upstream, status: int) -> None:
    upstream.plan(f"error-{status}")
    code, body = answer(client, request(upstream.url))
    assert (code, b'"error"' in body) == (status, True)


@pytest.mark.parametrize("head", [b"204 No Content\r\n\r\n", b"304 Not Modified\r\nContent-Length: 5\r\n\r\n"])
def test_some_statuses_never_have_a_body(client: HttpClient, upstream: Upstream, head: bytes) -> None:
    upstream.plan(raw(b"HTTP/1.1 " + head), raw(OK))
    assert answer(client, request(upstream.url)) == (int(head[:3]), b"")
    assert answer(client, request(upstream.url)) == (200, b"ok")
    assert {call.connection for call in upstream.calls} == {1}


def test_header_names_are_in_lower_case_and_all_are_there(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan(raw(b"HTTP/1.1 200 OK\r\nX-One: a\r\nx-one:b\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"))
    with started(client, request(upstream.url)) as exchange:
        assert exchange.headers == [("x-one", "a"), ("x-one", "b"), ("x-empty", ""), ("content-length", "0")]
        assert rest(exchange) == []


def test_headers_of_interim_answers_and_trailers_are_not_the_answers(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("early-hints", "trailers")
    for _ in range(2):
        with started(client, request(upstream.url)) as exchange:
            rest(exchange)
            assert {"link", "x-checksum"}.isdisjoint(dict(exchange.headers))
            assert "content-type" in dict(exchange.headers)


def test_what_has_arrived_together_is_handed_on_together(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("one-write")
    with started(client, request(upstream.url, stream=True)) as exchange:
        assert len(rest(exchange)) == 1
    assert len(upstream.calls[0].events) == 1


# ---- compressed answers, which nobody asked for ----


def test_a_compressed_stream_is_readable_as_it_comes(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("gzip")
    with started(client, request(upstream.url, stream=True)) as exchange:
        blocks = rest(exchange)
        assert {"content-encoding", "content-length"}.isdisjoint(dict(exchange.headers))
    assert b"".join(blocks).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("coding", "body", "detail"),
    [
        ("br", b"\x1b\x03", "a content-encoding that nobody asked for"),
        ("gzip", b"no gzip at all", "bad compressed answer"),
    ],
)
def test_what_cannot_be_decoded_is_the_vendors_fault(
    client: HttpClient, upstream: Upstream, coding: str, body: bytes, detail: str
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    upstream.plan(raw(head.encode() + body))
    error = failure(client, request(upstream.url))
    assert isinstance(error, VendorProtocolError)
    assert detail in str(error.detail)


def test_the_word_identity_encodes_nothing(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan(raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: Identity\r\nContent-Length: 2\r\n\r\nok"))
    assert answer(client, request(upstream.url)) == (200, b"ok")


# ---- connections ----


def test_a_connection_is_used_again_when_its_answer_was_read(client: HttpClient, upstream: Upstream) -> None:
    for stream in (False, True, False):
        answer(client, request(upstream.url, stream=stream))
    assert {call.connection for call in upstream.calls} == {1}


@pytest.mark.parametrize("behaviour", ["last-close", "no-length", "http10"])
def test_a_connection_that_the_vendor_ends_is_not(client: HttpClient, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour, "ok")
    for _ in range(2):
        assert answer(client, request(upstream.url))[0] == 200
    assert [call.connection for call in upstream.calls] == [1, 2]


def test_an_answer_that_was_left_unread_ends_its_connection(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("stream-20-0.05")
    with started(client, request(upstream.url, stream=True)) as exchange:
        exchange.read(1.0)
    upstream.wait(lambda upstream: upstream.cancelled)
    answer(client, request(upstream.url))
    assert [call.connection for call in upstream.calls] == [1, 2]


def test_each_origin_has_connections_of_its_own(client: HttpClient, upstream: Upstream) -> None:
    with Upstream() as other:
        for url in (upstream.url, other.url, upstream.url, other.url):
            answer(client, request(url))
        assert ([len(each.calls) for each in (upstream, other)], other.connections) == ([2, 2], 1)
        client.close()
        other.wait(lambda other: other.connections == 0)


def test_idle_connections_are_closed_though_their_origin_is_not_called_again(
    client: HttpClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Upstream() as other:
        with started(client, request(upstream.url)) as exchange:
            answer(client, request(other.url))
            monkeypatch.setattr("lib.net.connections.IDLE_SECONDS", 0.05)
            gevent.sleep(0.06)
            rest(exchange)
        other.wait(lambda other: other.connections == 0)
        answer(client, request(upstream.url))
    assert [call.connection for call in upstream.calls] == [1, 1]


def test_calls_at_the_same_time_have_a_connection_each_and_the_latest_is_used_next(
    client: HttpClient, upstream: Upstream
) -> None:
    with started(client, request(upstream.url)) as first, started(client, request(upstream.url)) as second:
        rest(first)
        rest(second)
    answer(client, request(upstream.url))
    assert [call.connection for call in upstream.calls] == [1, 2, 1]


def test_a_kept_connection_that_ended_meanwhile_is_not_used(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("idle-close", "ok")
    answer(client, request(upstream.url))
    upstream.wait(lambda upstream: upstream.connections == 0)
    assert answer(client, request(upstream.url))[0] == 200
    assert [call.connection for call in upstream.calls] == [1, 2]


@pytest.mark.parametrize("behaviour", ["close", "cut"])
def test_a_kept_connection_that_ends_as_it_is_used_is_replaced(
    client: HttpClient, upstream: Upstream, behaviour: str
) -> None:
    upstream.plan("ok", behaviour, "ok")
    assert [answer(client, request(upstream.url))[0] for _ in range(2)] == [200, 200]
    assert [call.connection for call in upstream.calls] == [1, 1, 2]


def test_it_is_replaced_once(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("ok", "close", "close")
    answer(client, request(upstream.url))
    assert isinstance(failure(client, request(upstream.url)), VendorUnreachable)
    assert [call.connection for call in upstream.calls] == [1, 1, 2]


def test_a_body_that_can_be_sent_once_gets_a_connection_that_is_new(client: HttpClient, upstream: Upstream) -> None:
    for _ in range(2):
        answer(client, request(upstream.url))
        answer(client, request(upstream.url, iter([b'{"model":"m"}']), length=13))
    assert [call.connection for call in upstream.calls] == [1, 2, 2, 3]


def test_a_request_that_was_read_for_long_is_not_repeated(
    client: HttpClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.net.http.STALE_SECONDS", 0.05)
    upstream.plan("ok", Behaviour("late", lambda call: iter([Wait(0.1), Close()])))
    answer(client, request(upstream.url))
    assert isinstance(failure(client, request(upstream.url)), VendorUnreachable)
    assert len(upstream.calls) == 2


LEFTOVERS = [
    pytest.param([OK + b"and more"], id="junk, at once"),
    pytest.param([OK, b"and more"], id="junk, later"),
    pytest.param([OK + OK], id="another answer, at once"),
    pytest.param([OK, OK], id="another answer, later"),
]


@pytest.mark.parametrize("writes", LEFTOVERS)
def test_what_follows_an_answer_is_nobodys(client: HttpClient, upstream: Upstream, writes: list[bytes]) -> None:
    upstream.plan(raw(*writes), raw(b"HTTP/1.1 201 OK\r\nContent-Length: 4\r\n\r\nmine"))
    assert answer(client, request(upstream.url)) == (200, b"ok")
    upstream.wait(lambda upstream: not upstream.calls[0].live)
    assert answer(client, request(upstream.url)) == (201, b"mine")
    assert [call.connection for call in upstream.calls] == [1, 2]
