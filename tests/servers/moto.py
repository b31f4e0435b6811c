"""AWS as moto imitates it, on a free loopback port: a server, with real sockets."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.servers.program import Program
from tests.upstream.aws_environment import CREDENTIALS, ISOLATED
from tests.upstream.ports import LOOPBACK, free_ports

REGION = "us-east-1"
SIGNED = f"AWS4-HMAC-SHA256 Credential=AKID/20260101/{REGION}/secretsmanager/aws4_request, Signature=unchecked"


class Moto(Program):
    """One server, with the accounts' secrets in it. Tests share it: each uses names of its own."""

    def __init__(self, directory: Path, host: str = LOOPBACK) -> None:
        self.port = free_ports(1)[0]
        self.url = f"http://{host}:{self.port}"
        self._host = host
        command = [sys.executable, "-m", "moto.server", "-H", host, "-p", str(self.port)]
        super().__init__(command, directory / "moto.log", self._answers)

    def ask(self, operation: str, **fields: Any) -> dict[str, Any]:
        """Secrets Manager's answer to one operation."""
        connection = http.client.HTTPConnection(self._host, self.port, timeout=10)
        headers = {"X-Amz-Target": f"secretsmanager.{operation}", "Authorization": SIGNED}
        try:
            connection.request("POST", "/", json.dumps(fields), headers)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            found: dict[str, Any] = json.loads(body)
            return found
        finally:
            connection.close()

    def create(self, name: str, value: str | None = None) -> None:
        """A new secret; without a value, as CloudFormation makes them."""
        self.ask("CreateSecret", Name=name, **({} if value is None else {"SecretString": value}))

    def put(self, name: str, value: str) -> None:
        """Another value for a secret that is there."""
        self.ask("PutSecretValue", SecretId=name, SecretString=value)

    def fill(self, prefix: str, names: Iterable[str], **values: str) -> None:
        """A secret for each setting below `prefix`: the value that is given, or the word `none`."""
        for name in names:
            self.create(prefix + name.lower(), values.get(name, "none"))

    def _answers(self) -> bool:
        with suppress(OSError, AssertionError):
            return "SecretList" in self.ask("ListSecrets")
        return False


def aws(url: str) -> dict[str, str]:
    """The environment of a program for which AWS is at this address."""
    return ISOLATED | CREDENTIALS | {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION}
