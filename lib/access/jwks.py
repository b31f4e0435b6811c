"""Fetch an issuer's keys: a JWK Set (RFC 7517), at a known URL or by OpenID Connect Discovery 1.0.

The addresses are the operator's, or the discovery document's of an issuer the operator trusts; never a token's.
"""

from __future__ import annotations

import json
import re
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from lib.base import is_this_machine
from lib.base.errors import AIProxyError
from lib.net import Exchange, HttpClient, HttpRequest, Origin

MAX_BYTES = 256 * 1024  # of one document
FETCH_SECONDS = 10.0  # for both documents together
_HEADERS = (("accept", "application/json"), ("user-agent", "aiproxy"))
_URL = re.compile(r"https?://[!-~]+")  # printable ASCII


class KeysNotFetched(Exception):
    """No key set: the reason is for the log and quotes nothing of an answer."""


def is_safe_url(url: str) -> bool:
    """Whether keys may come from here: https, or http on this machine; no credentials, no fragment."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not _URL.fullmatch(url) or not host or "@" in parts.netloc or "#" in url:
        return False
    return parts.scheme == "https" or is_this_machine(host)


def fetch_jwks(issuer: str, jwks_url: str | None, seconds: float = FETCH_SECONDS) -> dict[str, Any]:
    """The JWK Set at `jwks_url`, or where the discovery document of `issuer` says, within `seconds`.

    Redirects are not followed. Raises `KeysNotFetched`.
    """
    client, until = HttpClient(), monotonic() + seconds
    try:
        return _get(client, jwks_url or _discovered(client, issuer, until), until)
    finally:
        client.close()


def _discovered(client: HttpClient, issuer: str, until: float) -> str:
    """The `jwks_uri` of an issuer (OpenID Connect Discovery 1.0, sections 4.1 and 4.3)."""
    document = _get(client, issuer.rstrip("/") + "/.well-known/openid-configuration", until)
    if document.get("issuer") != issuer:
        raise KeysNotFetched("the discovery document is of another issuer")
    url = document.get("jwks_uri")
    if not isinstance(url, str) or not is_safe_url(url):
        raise KeysNotFetched("the discovery document's jwks_uri is neither https nor http on loopback")
    return url


def _get(client: HttpClient, url: str, until: float) -> dict[str, Any]:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    origin = Origin.parse(f"{parts.scheme}://{parts.netloc}")
    wait = max(0.001, until - monotonic())
    exchange = client.exchange(HttpRequest(origin, target, _HEADERS, b"", connect_timeout=wait, method="GET"))
    try:
        if not exchange.start(max(0.001, until - monotonic())):
            raise KeysNotFetched("no answer in time")
        if exchange.status != 200:
            raise KeysNotFetched(f"status {exchange.status}")
        return _object(_read(exchange, until))
    except AIProxyError as error:
        raise KeysNotFetched(error.detail or error.code) from error
    finally:
        exchange.close()


def _read(exchange: Exchange, until: float) -> bytes:
    body = bytearray()
    while block := exchange.read(max(0.0, until - monotonic())):
        body += block
        if len(body) > MAX_BYTES:
            raise KeysNotFetched("too large a document")
    if block is None:
        raise KeysNotFetched("the document did not come in time")
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise KeysNotFetched("the document is not JSON") from None
    if not isinstance(document, dict):
        raise KeysNotFetched("the document is not a JSON object")
    return document
