"""A real Redis (or Valkey) on a free loopback port. It keeps nothing on disk."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.servers.certificates import Certificate
from tests.servers.program import Program, missing
from tests.upstream.ports import LOOPBACK, free_ports

ASK_SECONDS = 2.0


class Redis(Program):
    """One server; `options` are its own, such as `("--requirepass", "...")`.

    With a certificate it speaks TLS on another port, `tls_port`.
    """

    def __init__(self, directory: Path, options: Sequence[str] = (), certificate: Certificate | None = None) -> None:
        program = (
            shutil.which("redis-server") or shutil.which("valkey-server") or missing("redis-server", "redis-server")
        )
        self.port, self.tls_port = free_ports(2)
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        command = [program, "--bind", LOOPBACK, "--port", str(self.port), "--dir", str(directory), "--save", ""]
        if certificate:
            command += ["--tls-port", str(self.tls_port), "--tls-auth-clients", "no"]
            command += ["--tls-cert-file", str(certificate.chain), "--tls-key-file", str(certificate.key)]
            command += ["--tls-ca-cert-file", str(certificate.chain)]  # it wants one, though it asks no client
        super().__init__([*command, "--appendonly", "no", *options], directory / "redis.log", self._answers)

    def ask(self, *words: str) -> bytes:
        """The raw answer to one short command, such as `ask("CONFIG", "SET", "maxmemory", "1")`."""
        parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with socket.create_connection((LOOPBACK, self.port), ASK_SECONDS) as connection:
            connection.sendall(f"*{len(words)}\r\n{parts}".encode())
            return connection.recv(65536)

    def _answers(self) -> bool:
        with suppress(OSError):
            return self.ask("PING").startswith((b"+PONG", b"-NOAUTH"))
        return False
