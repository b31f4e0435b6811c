"""Fixtures of the tests about tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lib.access.issuer import Issuer, good
from tests.lib.access.token_world import World


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def world(running: Issuer) -> World:
    running.behaviour, running.discovery = good, {}
    running.asked.clear()
    return World(running)
