"""Certificates as a test wants them: an authority of its own, and what it signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Certificate(NamedTuple):
    """Files (PEM) with a server's certificate and its key."""

    chain: Path
    key: Path


class Authority:
    """Signs certificates. `file` is its own: what somebody has who trusts it."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(f"{name} of the tests")
        self._own = self._signed(self._name, self._key.public_key(), None)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def certify(self, *hosts: str) -> Certificate:
        """A server's certificate for these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(_named(hosts[0]), key.public_key(), hosts)
        files = Certificate(*(self.file.with_name(f"{self.file.stem}-{hosts[0]}.{kind}") for kind in ("crt", "key")))
        files.chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        files.key.chmod(0o600)
        return files

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, hosts: tuple[str, ...] | None
    ) -> x509.Certificate:
        """With what a strict reader asks for (RFC 5280). Without hosts, an authority's."""
        now, authority = datetime.now(UTC), hosts is None
        own = self._key.public_key()
        made = (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number(), now - DAY, now + DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(own), critical=False)
            .add_extension(_usage(authority), critical=True)
        )
        if hosts is not None:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            made = made.add_extension(names, critical=False)
        return made.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(authority: bool) -> x509.KeyUsage:
    never = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        decipher_only=False,
        **never,
    )
