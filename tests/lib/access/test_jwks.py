"""Fetching an issuer's keys: the two ways there, and an issuer that misbehaves in every way we know."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import gevent
import pytest

from lib.access.jwks import KeysNotFetched, fetch_jwks, is_safe_url
from tests.lib.access import issuer as idp
from tests.lib.access.issuer import DISCOVERY, JWKS, Issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


def test_keys_at_a_known_url(issuer):
    issuer.keys = [{"kid": "a"}]
    assert fetch_jwks("https://elsewhere.example", issuer.jwks_url) == {"keys": [{"kid": "a"}]}
    assert issuer.asked == [JWKS]


def test_a_query_of_the_url_is_kept(issuer):
    fetch_jwks("https://elsewhere.example", issuer.jwks_url + "?policy=a&b=%20")
    assert issuer.asked == [JWKS + "?policy=a&b=%20"]


def test_keys_by_discovery(issuer):
    assert fetch_jwks(issuer.url, None) == {"keys": []}
    assert issuer.asked == [DISCOVERY, JWKS]


def test_a_slash_at_the_end_of_the_issuer_is_not_doubled(issuer):
    issuer.discovery = {"issuer": f"{issuer.url}/tenant/"}
    fetch_jwks(f"{issuer.url}/tenant/", None)
    assert issuer.asked == [f"/tenant{DISCOVERY}", JWKS]


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"issuer": ["https://other.example"]},
        {"jwks_uri": None},
        {"jwks_uri": 7},
        {"jwks_uri": ""},
        {"jwks_uri": "http://192.0.2.1/keys"},
        {"jwks_uri": "http://169.254.170.2/v2/credentials"},
        {"jwks_uri": "http://localhost.example.org/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://user:pass@example.org/keys"},
        {"jwks_uri": "https://example.org/keys\r\nx-injected: 1"},
        {"jwks_uri": "/keys.json"},
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_astray_is_refused(issuer, document):
    issuer.discovery = document
    with pytest.raises(KeysNotFetched, match="discovery document"):
        fetch_jwks(issuer.url, None)
    assert issuer.asked == [DISCOVERY]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (idp.says(b"{}", 500), "status 500"),
        (idp.says(b"", 404), "status 404"),
        (idp.says(b"", 302, Location="http://127.0.0.1:1/keys.json"), "status 302"),
        (idp.says(b"", 301, Location="https://example.org/"), "status 301"),
        (idp.says(b"", 204), "status 204"),
        (idp.says(b"<html>not json</html>"), "not JSON"),
        (idp.says(b""), "not JSON"),
        (idp.says(b"\xff\xfe\x00"), "not JSON"),
        (idp.says(b"[" * 100_000), "not JSON"),
        (idp.says(b"9" * 5000), "not JSON"),
        (idp.says(b"[]"), "not a JSON object"),
        (idp.says(b'"keys"'), "not a JSON object"),
        (idp.says(b"x" * 300_000), "too large"),
        (idp.floods, "too large"),
        (idp.cuts, "end|clos|lost|cut|early"),
    ],
)
def test_an_answer_that_is_none(issuer, behaviour, reason):
    issuer.behaviour = behaviour
    with pytest.raises(KeysNotFetched, match=reason):
        fetch_jwks(issuer.url, issuer.jwks_url)
    assert issuer.asked == [JWKS]  # once, and no redirect followed


@pytest.mark.parametrize("behaviour", [idp.waits, idp.trickles_head, idp.trickles_body])
def test_slowness_ends_in_time(issuer, behaviour):
    issuer.behaviour = behaviour
    begun = time.monotonic()
    with pytest.raises(KeysNotFetched, match="in time"):
        fetch_jwks(issuer.url, issuer.jwks_url, seconds=0.3)
    assert time.monotonic() - begun < 2


def test_both_documents_share_the_time(issuer):
    def slow(_, handler):
        time.sleep(0.3)
        idp.good(issuer, handler)

    issuer.behaviour = slow
    with pytest.raises(KeysNotFetched, match="in time"):
        fetch_jwks(issuer.url, None, seconds=0.5)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(KeysNotFetched):
        fetch_jwks("https://elsewhere.example", f"http://127.0.0.1:{port}/keys.json")


def test_others_go_on_meanwhile(issuer):
    issuer.behaviour = idp.waits
    fetching = gevent.spawn(fetch_jwks, issuer.url, issuer.jwks_url)
    for _tick in range(5):
        gevent.sleep(0.01)
    assert not fetching.ready()
    issuer.released.set()
    assert fetching.get(timeout=30) == {"keys": []}


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "https://a.example:8443/keys?x=1", "http://localhost/k", "http://127.0.0.1:80/k",
     "http://127.9.9.9/k", "http://[::1]:80/k", "https://[2001:db8::1]/k"],
)  # fmt: skip
def test_safe_urls(url):
    assert is_safe_url(url)


@pytest.mark.parametrize(
    "url",
    ["", "https://", "https:///keys", "http://a.example", "http://10.0.0.1/k", "ftp://a.example", "a.example/k",
     "http://localhost@a.example/k", "https://u:p@a.example/k", "https://a.example/k#x", "https://a.example/a b",
     "https://a.example/\n", "https://ä.example/k", "https://a.example:x/", "https://a.example:99999/",
     "http://[::1/k", "http://2130706433/k", "http://0.0.0.0/k", "//a.example", "javascript:x"],
)  # fmt: skip
def test_unsafe_urls(url):
    assert not is_safe_url(url)
