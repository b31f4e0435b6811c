"""An environment in which boto3 sees the tests' credentials and nothing of the tester's own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from lib.net import aws

NOWHERE = "/nonexistent/aws"
ISOLATED = {
    "AWS_CONFIG_FILE": NOWHERE,
    "AWS_SHARED_CREDENTIALS_FILE": NOWHERE,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIDTESTS", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests"}


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`base` without its AWS settings, with credentials of the tests."""
    return {name: value for name, value in base.items() if not name.startswith("AWS_")} | ISOLATED | CREDENTIALS


@contextmanager
def isolated_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """That environment for this process, without the clients that other tests made; its own are closed after it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in (ISOLATED | CREDENTIALS).items():
        monkeypatch.setenv(name, value)
    clients: dict[aws.RuntimeOptions, aws.BedrockRuntimeClient] = {}
    monkeypatch.setattr(aws, "_clients", clients)
    monkeypatch.setattr(aws, "_sessions", [])
    yield
    for client in clients.values():
        client.close()
