"""The HTTP client over TLS: whom it trusts, and that waiting and breaking off work there too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.base.errors import VendorTimeout, VendorUnreachable
from lib.net import HttpClient
from tests.lib.net.calls import answer, failure, later, left, nothing_left_open, request, rest, started
from tests.lib.net.tls import TlsFront, make_certificate
from tests.upstream import Upstream


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture
def front(upstream: Upstream, certificate: Path) -> Iterator[TlsFront]:
    with TlsFront(upstream, certificate) as running:
        yield running


@pytest.fixture
def trusted(front: TlsFront, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The front's URL, once its certificate is trusted as an operator would have it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return front.url


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_and_a_kept_connection(client: HttpClient, upstream: Upstream, trusted: str, stream: bool) -> None:
    for _ in range(3):
        status, body = answer(client, request(trusted, stream=stream))
        assert (status, body) == (200, bytes(upstream.calls[-1].payload))
    assert {call.connection for call in upstream.calls} == {1}
    client.close()


def test_large_bodies_both_ways(client: HttpClient, upstream: Upstream, trusted: str) -> None:
    upstream.plan("big-3000")
    body = b'{"model": "m", "text": "' + b"0123456789" * 500_000 + b'"}'
    status, said = answer(client, request(trusted, body))
    assert (status, upstream.calls[0].body == body) == (200, True)
    assert said == bytes(upstream.calls[0].payload)
    client.close()


@pytest.mark.parametrize("patience", [0.0, 0.01])
def test_slices(client: HttpClient, upstream: Upstream, trusted: str, patience: float) -> None:
    upstream.plan("slow-middle-0.1")
    slices = 0
    with started(client, request(trusted, stream=True)) as exchange:
        while (block := exchange.read(patience)) != b"":
            slices += block is None
    assert slices > 0
    client.close()


@pytest.mark.parametrize("behaviour", ["silent", "silent-stream-2"])
def test_breaking_off(client: HttpClient, upstream: Upstream, trusted: str, behaviour: str) -> None:
    upstream.plan(behaviour)
    exchange = client.exchange(request(trusted, stream=True))
    with nothing_left_open():
        if exchange.start(0.3):
            while exchange.read(0.05) is not None:
                pass
            waiting = later(exchange, "read")
        else:
            waiting = later(exchange)
        exchange.abort()
        left(waiting)
        exchange.close()
    upstream.wait(lambda upstream: upstream.cancelled)


def test_a_connection_closed_meanwhile(client: HttpClient, upstream: Upstream, trusted: str) -> None:
    upstream.plan("idle-close", "ok")
    with started(client, request(trusted)) as exchange:
        rest(exchange)
    upstream.wait(lambda upstream: upstream.connections == 0)
    assert answer(client, request(trusted))[0] == 200
    client.close()


def test_a_stranger_is_not_trusted(client: HttpClient, upstream: Upstream, front: TlsFront) -> None:
    with nothing_left_open():
        error = failure(client, request(front.url))
    assert type(error) is VendorUnreachable
    assert "self-signed" in str(error.detail)
    assert upstream.calls == []


def test_another_name_is_not_trusted(client: HttpClient, upstream: Upstream, trusted: str) -> None:
    error = failure(client, request(trusted.replace("localhost", "127.0.0.1")))
    assert type(error) is VendorUnreachable
    assert "mismatch" in str(error.detail)


def test_a_handshake_that_nobody_answers(client: HttpClient, upstream: Upstream) -> None:
    with nothing_left_open():
        url = upstream.mute.replace("http://", "https://")
        assert type(failure(client, request(url, connect_timeout=0.05))) is VendorTimeout


def test_breaking_off_a_handshake(client: HttpClient, upstream: Upstream) -> None:
    with nothing_left_open():
        exchange = client.exchange(request(upstream.mute.replace("http://", "https://"), connect_timeout=60.0))
        waiting = later(exchange)
        exchange.abort()
        left(waiting)
        exchange.close()
