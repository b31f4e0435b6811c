"""Tokens (JWT, RFC 7519) of the issuers in `access.toml`; nothing else imports the JWT library.

It is imported by the first token that has to be verified: a server without issuers never does.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from lib.access.access_file import AccessFile, IssuerRow
from lib.access.identity import TokenIdentity, identify
from lib.access.issuer_keys import IssuerKeys
from lib.access.jwks import fetch_jwks
from lib.access.key_set import Key, read_keys
from lib.access.token_parts import check_claims, check_header, looks_like_token, refused, take_apart

CACHE_SECONDS = 60.0  # at most; a token's expiry comes first
MAX_CACHED = 1024  # tokens


@dataclass(frozen=True, slots=True)
class _Issuer:
    name: str
    row: IssuerRow
    keys: IssuerKeys


@dataclass(frozen=True, slots=True)
class _Verified:
    """An identity that holds from one moment to another, in seconds since 1970."""

    identity: TokenIdentity
    since: float
    until: float


class Tokens:
    """Verifies tokens. One for each worker: it keeps the issuers' keys, and what it verified a moment ago."""

    def __init__(
        self,
        access: AccessFile,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`now` is seconds since 1970, against which tokens expire; `clock` ages the issuers' keys. Fetches nothing."""
        self._now = now
        self._issuers = {row.issuer: _build_issuer(name, row, clock) for name, row in access.issuers.items()}
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    def __bool__(self) -> bool:
        """Whether there is any issuer."""
        return bool(self._issuers)

    def verify(self, token: str) -> TokenIdentity:
        """Who shows this token.

        Raises `Unauthorized`, the same for every fault, or `IssuerUnavailable` when its issuer's keys are not
        known and cannot be fetched.
        """
        if not looks_like_token(token):
            raise refused("shape")
        fingerprint = hashlib.sha256(token.encode("ascii")).digest()  # of all of it: a part is no proof
        now = self._now()
        known = self._verified.get(fingerprint)
        if known is not None and known.since <= now < known.until:
            self._verified.move_to_end(fingerprint)
            return known.identity
        identity, expires = self._verify(token)
        self._keep(fingerprint, _Verified(identity, now, min(expires, now + CACHE_SECONDS)))
        return identity

    def _verify(self, token: str) -> tuple[TokenIdentity, float]:
        """The identity and when it expires. The issuer is the one the token names, until all else shows that it is."""
        parts = take_apart(token)
        named = parts.claims.get("iss")
        issuer = self._issuers.get(named) if isinstance(named, str) else None
        if issuer is None:
            raise refused("issuer")
        kid, algorithm = check_header(parts.header, issuer.row.algorithms)
        check_claims(parts.claims, issuer.row, self._now())  # before a fetch: what has expired asks for none
        key = issuer.keys.find(kid, algorithm)
        if key is None:
            raise refused("key")
        if not _is_signed(key, parts.signed, parts.signature):
            raise refused("signature")
        expires = check_claims(parts.claims, issuer.row, self._now())  # again: a fetch takes time
        return identify(issuer.name, issuer.row, parts.claims), expires

    def _keep(self, fingerprint: bytes, verified: _Verified) -> None:
        self._verified[fingerprint] = verified
        self._verified.move_to_end(fingerprint)
        while len(self._verified) > MAX_CACHED:
            self._verified.popitem(last=False)


def _build_issuer(name: str, row: IssuerRow, clock: Callable[[], float]) -> _Issuer:
    return _Issuer(name, row, IssuerKeys(name, partial(_fetch_keys, row), row.keys_seconds, clock))


def _fetch_keys(row: IssuerRow) -> tuple[Key, ...]:
    return read_keys(fetch_jwks(row.issuer, row.jwks_url), row.algorithms, _load)


@cache
def _algorithm(name: str) -> Any:
    from jwt import get_algorithm_by_name  # noqa: PLC0415  see the module's docstring

    return get_algorithm_by_name(name)


def _load(algorithm: str, public: Mapping[str, str]) -> Any:
    """The public key of a JWK's members. Raises ValueError."""
    from jwt import PyJWTError  # noqa: PLC0415  see the module's docstring

    try:
        return _algorithm(algorithm).from_jwk(dict(public))
    except PyJWTError as error:
        raise ValueError("no such key") from error


def _is_signed(key: Key, signed: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's. The algorithm is the key's own, whatever the header says."""
    return bool(_algorithm(key.algorithm).verify(signed, key.material, signature))
