"""What goes wrong between the HTTP client and a vendor: each fault has its error, and no connection outlives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import gevent
import gevent.socket
import pytest

from lib.base.errors import AIProxyError, VendorProtocolError, VendorTimeout, VendorUnreachable
from lib.net import HttpClient
from tests.lib.net.calls import PATIENCE, answer, failure, nothing_left_open, request, rest, started
from tests.upstream import Behaviour, Close, Cut, Hang, Send, Steps, Upstream
from tests.upstream import Call as Seen

MIB = 1024 * 1024


def cut_in(phase: str) -> list[str]:
    return [f"cut-{phase}", f"close-{phase}"]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("cut", VendorUnreachable),
        ("close", VendorUnreachable),
        *[(name, VendorProtocolError) for phase in ("head", "body", "chunk") for name in cut_in(phase)],
        ("close-end", VendorProtocolError),
        ("long-length", VendorProtocolError),
        ("two-lengths", VendorProtocolError),
        ("junk-status", VendorProtocolError),
        ("junk-header", VendorProtocolError),
        ("junk-chunk", VendorProtocolError),
        ("endless-header", VendorProtocolError),
        ("endless-headers", VendorProtocolError),
    ],
)
def test_every_broken_answer_is_an_error_and_ends_its_connection(
    client: HttpClient, upstream: Upstream, behaviour: str, kind: type[AIProxyError]
) -> None:
    upstream.plan(behaviour, "ok")
    asked = request(upstream.url, stream=True)
    with nothing_left_open():
        assert type(failure(client, asked)) is kind
        assert answer(client, asked)[0] == 200
    assert [call.connection for call in upstream.calls] == [1, 2]


@pytest.mark.parametrize("behaviour", [*cut_in("body"), *cut_in("chunk"), "close-end", "junk-chunk"])
def test_what_came_before_the_fault_can_be_read(client: HttpClient, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    seen = bytearray()
    with started(client, request(upstream.url, stream=True)) as exchange, pytest.raises(VendorProtocolError):
        while True:
            block = exchange.read(PATIENCE)
            assert block
            seen += block
    assert seen.startswith(bytes(upstream.calls[0].payload))
    assert seen.count(b"\n\n") == len(upstream.calls[0].events)


def test_a_length_that_is_too_short_cuts_the_answer(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("short-length")
    _, body = answer(client, request(upstream.url))
    assert len(body) == len(upstream.calls[0].payload) - 10


def test_switching_protocols_is_refused(client: HttpClient, upstream: Upstream) -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    upstream.plan(Behaviour("upgrade", lambda call: iter([Send(head), Close()])))
    assert isinstance(failure(client, request(upstream.url)), VendorProtocolError)


def test_interim_answers_without_end_are_a_head_that_is_too_large(client: HttpClient, upstream: Upstream) -> None:
    def play(call: Seen) -> Steps:
        for _ in range(200):
            yield Send(b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"a" * 1000 + b">\r\n\r\n")
        yield Hang()

    upstream.plan(Behaviour("hints", play))
    assert "too large" in str(failure(client, request(upstream.url)).detail)


def test_a_redirect_is_an_answer_like_any_other(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("redirect")
    assert answer(client, request(upstream.url)) == (302, b"")
    assert len(upstream.calls) == 1


# ---- connecting ----


def test_nobody_listens(client: HttpClient, upstream: Upstream) -> None:
    with nothing_left_open():
        error = failure(client, request(upstream.refuse))
    assert type(error) is VendorUnreachable
    assert "refused" in str(error.detail)


def test_nobody_answers_the_knock(client: HttpClient, upstream: Upstream) -> None:
    with nothing_left_open():
        error = failure(client, request(upstream.blackhole, connect_timeout=0.05))
    assert type(error) is VendorTimeout


def test_a_name_that_does_not_exist(client: HttpClient) -> None:
    assert type(failure(client, request("http://nowhere.invalid", connect_timeout=5.0))) is VendorUnreachable


# ---- answers that come before the request was sent ----


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(MIB)


@pytest.mark.parametrize("streamed", [False, True], ids=["bytes", "pieces"])
def test_an_early_answer_is_heard(client: HttpClient, upstream: Upstream, streamed: bool) -> None:
    upstream.plan("early-413")
    body = pieces(32) if streamed else bytes(32 * MIB)
    status, said = answer(client, request(upstream.url, body))
    assert (status, b"exceeds the maximum size" in said) == (413, True)


def hang_early(call: Seen) -> Steps:
    yield Send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}")
    yield Hang()


def test_an_early_answer_is_heard_when_the_vendor_reads_no_further(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan(Behaviour("hang-early", hang_early, early=True), "ok")
    left = pieces(64)
    with started(client, request(upstream.url, left)) as exchange:
        assert (exchange.status, rest(exchange)) == (401, [b"{}"])
    assert sum(1 for _ in left) > 30, "it went on sending"
    answer(client, request(upstream.url))
    assert [call.connection for call in upstream.calls] == [1, 2]


def refuse_abruptly(call: Seen) -> Steps:
    yield Send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}")
    yield Cut()


def test_an_early_answer_is_heard_behind_the_end_of_the_connection(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan(Behaviour("refuse-abruptly", refuse_abruptly, early=True))
    assert answer(client, request(upstream.url, pieces(64))) == (413, b"{}")


def test_an_end_before_the_body_was_read(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan("early-cut")
    with nothing_left_open():
        assert type(failure(client, request(upstream.url, pieces(64)))) is VendorUnreachable


def test_a_vendor_that_reads_nothing_is_left(
    client: HttpClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.net.http.SEND_SECONDS", 0.02)
    monkeypatch.setattr("lib.net.http.GLANCE_SECONDS", 0.01)
    assert type(failure(client, request(upstream.mute, bytes(32 * MIB)))) is VendorTimeout


def test_slow_progress_is_progress(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.net.http.SEND_SECONDS", 0.5)
    monkeypatch.setattr("lib.net.http.GLANCE_SECONDS", 0.01)
    listener = gevent.socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def read_slowly() -> None:
        sock, _ = listener.accept()
        with closing(sock), sock.makefile("rb") as file:
            while file.readline() != b"\r\n":
                pass
            for _ in range(24):
                gevent.sleep(0.03)
                file.read(MIB)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    reading = gevent.spawn(read_slowly)
    with closing(listener):
        assert answer(client, request(f"http://127.0.0.1:{listener.getsockname()[1]}", bytes(24 * MIB))) == (200, b"ok")
        reading.get()


def test_a_fault_of_the_body_itself_comes_through(client: HttpClient, upstream: Upstream) -> None:
    def broken() -> Iterator[bytes]:
        yield b"{"
        raise LookupError("the body's own")

    with nothing_left_open(), pytest.raises(LookupError, match="the body's own"):
        answer(client, request(upstream.url, broken()))
    upstream.wait(lambda upstream: upstream.cancelled)


def test_reset_after_the_answer_was_complete_does_no_harm(client: HttpClient, upstream: Upstream) -> None:
    upstream.plan(Behaviour("reset", lambda call: iter([Send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Cut()])))
    assert answer(client, request(upstream.url)) == (200, b"")
    upstream.wait(lambda upstream: upstream.connections == 0)
    assert answer(client, request(upstream.url))[0] == 200
