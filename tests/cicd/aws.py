"""AWS, played by moto's server, with the AWS CLI that is pinned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer

from tests.cicd.quick_cli import quick_cli


@dataclass(frozen=True)
class Account:
    """An empty account, and the environment that leads programs to it."""

    endpoint: str

    @property
    def environ(self) -> dict[str, str]:
        return {
            **quick_cli(),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "eu-central-1",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """A client of boto3, to arrange and to look."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="eu-central-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


@contextmanager
def account() -> Iterator[Account]:
    """An account of its own, for as long as the block lasts."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        requests.post(f"http://{host}:{port}/moto-api/reset", timeout=30).raise_for_status()  # it shares its memory
        yield Account(f"http://{host}:{port}")
    finally:
        server.stop()
