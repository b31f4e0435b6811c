"""Tokens of an issuer on a running server: let in as access.toml says, refused alike, read again on SIGHUP."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lib.access.issuer import Issuer
from tests.lib.access.signing import jwk, rsa_key, sign
from tests.src.wire import Said, ask
from tests.upstream import Gateway

KEY, OTHER = rsa_key("a"), rsa_key("b")
HELLO = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}
FILE = """
[issuers.acme]
issuer = "https://acme.example/"
audience = "api"
jwks_url = "{jwks_url}"
scopes = [{scopes}]
models = ["echo"]
"""


def token(key: Any = KEY, kid: str = "a", **changed: Any) -> str:
    now = time.time()
    claims = {"iss": "https://acme.example/", "aud": "api", "sub": "ada", "iat": now, "exp": now + 600, **changed}
    return sign(key, {"alg": "RS256", "typ": "JWT", "kid": kid}, claims)


def call(server: Gateway, shown: str, path: str = "/v1/chat/completions") -> Said:
    return ask(server, "POST", path, headers={"Authorization": f"Bearer {shown}"}, json=HELLO)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        running.keys = [jwk(KEY, "a")]
        yield running


@pytest.fixture
def server(gateway: Callable[..., Gateway], issuer: Issuer) -> Gateway:
    """A server beside whose config an access.toml lies."""
    prepared: Gateway = gateway.prepare(WEB_CONCURRENCY="1")  # type: ignore[attr-defined]
    write(prepared, issuer, '"openai"')
    prepared.start()
    return prepared


def write(server: Gateway, issuer: Issuer, scopes: str) -> None:
    (server.directory / "access.toml").write_text(FILE.format(jwks_url=issuer.jwks_url, scopes=scopes))


def test_a_token_lets_in_and_what_is_wrong_with_it_is_not_told(server: Gateway) -> None:
    good = token()
    assert call(server, good).status == 200
    assert call(server, good, "/v1/messages").status == 403
    line = server.wait_for_line(lambda line: line.get("caller") == "acme:ada")
    assert line["status"] in (200, 403)
    wrong = [token(OTHER), token(exp=time.time() - 60), token(aud="web"), token(iss="https://other.example/"),
             good[:-4] + "AAAA", "a.b.c", "nonsense"]  # fmt: skip
    answers = [call(server, shown) for shown in wrong]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    assert not any(shown in server.output() for shown in [good, *wrong[:5]])


def test_an_issuer_that_is_gone_is_no_wrong_token(server: Gateway, issuer: Issuer) -> None:
    issuer.stop()
    answer = call(server, token())
    assert (answer.status, answer.json["error"]["code"]) == (503, "identity_provider_unavailable")
    assert call(server, server.key).status == 200


def test_the_file_is_read_again(server: Gateway, issuer: Issuer) -> None:
    good = token()
    assert call(server, good).status == 200
    write(server, issuer, '"anthropic"')
    os.kill(server.pid, signal.SIGHUP)
    end = time.monotonic() + 30
    while call(server, good).status != 403:
        assert time.monotonic() < end
        time.sleep(0.05)
    write(server, issuer, '"nonsense"')
    os.kill(server.pid, signal.SIGHUP)
    refused = server.wait_for_line(lambda line: "reload refused" in line.get("event", ""))
    assert "access.toml" in refused["detail"]
    assert call(server, good).status == 403


def test_a_wrong_file_ends_the_start(gateway: Callable[..., Gateway], issuer: Issuer) -> None:
    prepared: Gateway = gateway.prepare()  # type: ignore[attr-defined]
    write(prepared, issuer, '"nonsense"')
    prepared.launch()
    assert prepared.wait() == 2
    assert "access.toml" in prepared.output()
