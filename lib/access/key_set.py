"""The usable keys of a JWK Set (RFC 7517): public, for signatures, strong enough, and known apart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from lib.access.jwks import KeysNotFetched

MAX_KEYS = 100
MAX_KID = 256  # characters
_RSA_BITS = range(2048, 8193)
_MEMBERS = {"RS256": ("kty", "n", "e"), "ES256": ("kty", "crv", "x", "y")}  # RFC 7518, 6.2.1 and 6.3.1

Load = Callable[[str, Mapping[str, str]], Any]
"""Makes key material of an algorithm's name and a JWK's public members. Raises ValueError."""


class Key(NamedTuple):
    """A public key that verifies signatures of one algorithm. `material` is what the JWT library works with."""

    kid: str | None
    algorithm: str
    material: Any


def read_keys(document: Mapping[str, Any], algorithms: Collection[str], load: Load) -> tuple[Key, ...]:
    """The keys for `algorithms`. An entry that is malformed or of no use is passed over, and so is the second
    with one `kid` and algorithm. Raises `KeysNotFetched` when the document is no JWK Set."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise KeysNotFetched("the document is no JWK Set")
    found: dict[object, Key] = {}
    for position, entry in enumerate(entries[:MAX_KEYS]):
        key = _read_key(entry, algorithms, load) if isinstance(entry, dict) else None
        if key is not None:
            found.setdefault((key.kid or position, key.algorithm), key)
    return tuple(found.values())


def pick(keys: Collection[Key], kid: str | None, algorithm: str) -> Key | None:
    """The key that a token's header means; without a `kid`, the only one there is for its algorithm."""
    fitting = [key for key in keys if key.algorithm == algorithm and (kid is None or key.kid == kid)]
    return fitting[0] if len(fitting) == 1 else None


def _read_key(entry: Mapping[str, Any], algorithms: Collection[str], load: Load) -> Key | None:
    algorithm = _algorithm(entry)
    kid = entry.get("kid")
    if algorithm not in algorithms or not _is_for_signatures(entry, algorithm) or not _is_kid(kid):
        return None
    members = _MEMBERS[algorithm]  # and no others: a private key's own stay behind
    public = {name: value for name in members if isinstance(value := entry.get(name), str)}
    if len(public) != len(members):
        return None
    try:
        material = load(algorithm, public)
    except ValueError:
        return None
    if algorithm == "RS256" and material.key_size not in _RSA_BITS:
        return None
    return Key(kid, algorithm, material)


def _algorithm(entry: Mapping[str, Any]) -> str:
    """The one of our algorithms that a key is made for; empty when there is none."""
    if entry.get("kty") == "RSA":
        return "RS256"
    return "ES256" if entry.get("kty") == "EC" and entry.get("crv") == "P-256" else ""


def _is_for_signatures(entry: Mapping[str, Any], algorithm: str) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("use", "sig") == "sig"
        and entry.get("alg", algorithm) == algorithm
        and isinstance(operations, list)
        and "verify" in operations
    )


def _is_kid(kid: object) -> bool:
    return kid is None or (isinstance(kid, str) and 0 < len(kid) <= MAX_KID)
