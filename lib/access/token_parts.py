"""Take a token apart and check all that needs no key: its shape (RFC 7515), and its claims (RFC 7519).

Every failure is an `Unauthorized` that says the same to the caller. Its `detail`, for the log, is a short
code and holds no part of the token.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lib.access.access_file import IssuerRow
from lib.access.key_set import MAX_KID
from lib.base.errors import Unauthorized

MAX_TOKEN = 8 * 1024  # characters
LEEWAY = 30.0  # seconds that clocks may differ
_SHAPE = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")
_TYPES = {"jwt", "at+jwt", "application/jwt", "application/at+jwt"}  # RFC 7519, 5.1; RFC 9068, 2.1
_LATEST = 2.0**40  # seconds: no sane time is later


@dataclass(frozen=True, slots=True)
class TokenParts:
    """A token taken apart; nothing of it is verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def looks_like_token(credential: str) -> bool:
    """Whether a credential has a token's shape: three parts in base64url, of bounded length."""
    return len(credential) <= MAX_TOKEN and _SHAPE.fullmatch(credential) is not None


def refused(code: str) -> Unauthorized:
    """The one answer to every bad token; the code goes to the log."""
    return Unauthorized(detail=f"token: {code}")


def take_apart(token: str) -> TokenParts:
    """The parts of a token of the right shape. Raises `Unauthorized`."""
    header, claims, signature = token.split(".")
    signed = token.rpartition(".")[0].encode("ascii")
    return TokenParts(_json_object(header), _json_object(claims), signed, _decoded(signature))


def check_header(header: Mapping[str, Any], algorithms: Collection[str]) -> tuple[str | None, str]:
    """The key id and the algorithm. What else a header may point to (jku, jwk, x5u, x5c) is not looked at.

    Raises `Unauthorized`, also for extensions that must be understood (RFC 7515, 4.1.11): none are.
    """
    kind = header.get("typ", "JWT")
    if "crit" in header or "b64" in header or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise refused("header")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise refused("algorithm")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= MAX_KID):
        raise refused("key id")
    return kid, algorithm


def check_claims(claims: Mapping[str, Any], row: IssuerRow, now: float) -> float:
    """When the token expires, in seconds since 1970, if all that it claims of itself is right at `now`.

    `iss`, `aud` and `exp` are required; `nbf` and `iat` count when present. Raises `Unauthorized`.
    """
    if claims.get("iss") != row.issuer:
        raise refused("issuer")
    if not _audiences(claims.get("aud")) & row.audiences:
        raise refused("audience")
    expires = _time(claims, "exp")
    if expires is None:
        raise refused("no expiry")
    if now >= expires + LEEWAY:
        raise refused("expired")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and begins > now + LEEWAY:
            raise refused("not yet valid")
    return expires


def _audiences(value: object) -> frozenset[str]:
    values = value if isinstance(value, list) else [value]
    return frozenset(value for value in values if isinstance(value, str))


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519, 2), None when it is absent."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise refused("time")
    return float(value)


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise refused("base64") from None


def _json_object(part: str) -> dict[str, Any]:
    """The object in a part: every name once, every number finite, every text such that it can be written down."""
    try:
        found = json.loads(_decoded(part).decode("utf-8"), object_pairs_hook=_once)
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise refused("json") from None
    if not isinstance(found, dict):
        raise refused("json")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
