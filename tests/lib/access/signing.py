"""Keys and tokens made with `cryptography` alone, the impossible ones included."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of this name, made once."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """The elliptic curve key of this name, made once."""
    return ec.generate_private_key(curve())


def b64(data: bytes | str | dict[str, Any] | list[Any]) -> str:
    """Base64url without padding (RFC 7515, 2), of bytes or of something as JSON."""
    if isinstance(data, dict | list):
        data = json.dumps(data)
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(key: PrivateKey, kid: str | None = None, **more: Any) -> dict[str, Any]:
    """The public JWK; `more` replaces members, None takes one out."""
    public: dict[str, Any]
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        public = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), "use": "sig", "alg": "RS256"}
    else:
        point = key.public_key().public_numbers()
        names = {"secp256r1": ("P-256", "ES256", 32), "secp384r1": ("P-384", "ES384", 48)}
        curve, algorithm, size = names[key.curve.name]
        x, y = b64(point.x.to_bytes(size, "big")), b64(point.y.to_bytes(size, "big"))
        public = {"kty": "EC", "crv": curve, "x": x, "y": y, "use": "sig", "alg": algorithm}
    members = {**public, "kid": kid, **more}
    return {name: value for name, value in members.items() if value is not None}


def pem(key: PrivateKey) -> bytes:
    """The public key as its issuer would print it."""
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form)


def signature(key: PrivateKey | bytes | None, signed: bytes) -> bytes:
    """RS256, ES256, HS256 (a key of bytes) or none (RFC 7518, 3)."""
    if key is None:
        return b""
    if isinstance(key, bytes):
        return hmac.new(key, signed, hashlib.sha256).digest()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    size = (key.curve.key_size + 7) // 8
    return b"".join(
        part.to_bytes(size, "big") for part in decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    )


def sign(
    key: PrivateKey | bytes | None, header: dict[str, Any] | str, claims: dict[str, Any] | list[Any] | str | bytes
) -> str:
    """A token of this header and these claims, as they are."""
    signed = f"{b64(header)}.{b64(claims)}"
    return f"{signed}.{b64(signature(key, signed.encode()))}"
