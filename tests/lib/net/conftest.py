"""Fixtures of the network floor's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.net import HttpClient
from tests.upstream.aws_environment import isolated_aws
from tests.upstream.bedrock import BedrockUpstream


@pytest.fixture
def client() -> Iterator[HttpClient]:
    """An HTTP client without connections."""
    http = HttpClient()
    yield http
    http.close()


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials of the tests, nothing of the tester's own."""
    with isolated_aws(monkeypatch):
        yield


@pytest.fixture
def bedrock() -> Iterator[BedrockUpstream]:
    """Bedrock on a loopback port. Fails the test that leaves plans unused or sends it broken HTTP."""
    with BedrockUpstream() as running:
        yield running
        assert running.planned == [], f"planned and never asked for; {running.summary()}"
        assert running.complaints == []
