"""Fixtures of the providers' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.upstream.aws_environment import isolated_aws
from tests.upstream.bedrock import BedrockUpstream


@pytest.fixture(scope="module")
def aws_environment() -> Iterator[None]:
    """Credentials of the tests, nothing of the tester's own."""
    with pytest.MonkeyPatch.context() as monkeypatch, isolated_aws(monkeypatch):
        yield


@pytest.fixture
def bedrock() -> Iterator[BedrockUpstream]:
    """Bedrock on a loopback port. Fails the test that leaves plans unused or sends it broken HTTP."""
    with BedrockUpstream() as running:
        yield running
        assert running.planned == [], f"planned and never asked for; {running.summary()}"
        assert running.complaints == []
