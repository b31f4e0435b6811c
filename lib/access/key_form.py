"""What a managed key looks like, and the keyed hash that stands for it in the store."""

from __future__ import annotations

import hmac
import re
import secrets

PREFIX = "aip-"
_RANDOM_BYTES = 32
_FORM = re.compile(r"aip-[A-Za-z0-9_-]{43}")
_PURPOSE = b"aiproxy managed key\0"  # so that the same secret may serve something else too


def make_key() -> str:
    """A new key: `aip-` and 43 characters that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def make_secret() -> str:
    """A new secret for the hashes, when the operator sets none."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def looks_like_key(text: str) -> bool:
    """Whether a text has the form of a managed key; nothing else is ever looked up."""
    return _FORM.fullmatch(text) is not None


def hash_of(key: str, secret: bytes) -> str:
    """HMAC-SHA256 of a key, in hexadecimal: what is stored, and looked up by."""
    return hmac.digest(secret, _PURPOSE + key.encode("ascii"), "sha256").hex()
