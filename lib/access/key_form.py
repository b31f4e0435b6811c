"""What a managed key looks like, and the keyed hash that stands for it in the store."""

from __future__ import annotations

import hashlib
import re
import secrets

PREFIX = "aip-"
_RANDOM_BYTES = 32
_FORM = re.compile(r"aip-[A-Za-z0-9_-]{43}")
_PURPOSE = b"aiproxy key"  # so that the same secret may serve something else too


def make_key() -> str:
    """A new key: `aip-` and 43 characters that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def make_secret() -> str:
    """A new secret for the hashes, when the operator sets none."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def looks_like_key(text: str) -> bool:
    """Whether a text has the form of a managed key; nothing else is ever looked up."""
    return _FORM.fullmatch(text) is not None


def hashing_key(secret: str) -> bytes:
    """What keys the hashes, from a secret of any length."""
    return hashlib.sha256(secret.encode()).digest()


def hash_of(key: str, hashing: bytes) -> str:
    """BLAKE2b of a key, keyed with `hashing` (RFC 7693), in hexadecimal: what is stored, and looked up by."""
    return hashlib.blake2b(key.encode("ascii"), digest_size=32, key=hashing, person=_PURPOSE).hexdigest()
