"""Fixtures for tests in a Docker engine: the image that this tree builds, and containers of it.

Without an engine these tests are skipped; they fail instead when CONTAINERS=required.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from subprocess import TimeoutExpired

import pytest

from tests.containers.docker import HARDENED, Container, Containers, attempt, build
from tests.house.tree import ROOT
from tests.summary import show
from tests.upstream.gateway import KEY

TAG = "aiproxy-checked"
Serve = Callable[..., Container]
Measured = Callable[[str], None]


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    """A Docker engine that answers."""
    with suppress(OSError, TimeoutExpired):
        if attempt("info").returncode == 0:
            return
    if os.environ.get("CONTAINERS") == "required":
        pytest.fail("no Docker engine answers, and CONTAINERS=required")
    pytest.skip("no Docker engine answers")


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Measured:
    """Takes a line that the run's summary shows."""
    return partial(show, request.config, "measured in containers")


@pytest.fixture(scope="session")
def image(measured: Measured) -> str:
    """The id of the server's image of this tree."""
    begin = time.monotonic()
    made = build(str(ROOT), TAG, "--target", "server")
    measured(f"image built in {time.monotonic() - begin:.0f} s")
    return made


@pytest.fixture
def containers(request: pytest.FixtureRequest) -> Iterator[Containers]:
    """Starts containers that end with the test. A failed test shows their logs."""
    made = Containers(f"aiproxy-test-{uuid.uuid4().hex[:8]}")
    yield made
    for container in made.started:
        print(f"--- {repr(container)[-4000:]}")
    made.remove()


@pytest.fixture
def serve(image: str, containers: Containers) -> Serve:
    """`serve("--memory", "1g", DRAIN_SECONDS="2")`: the image with the rights that compose gives it, when healthy."""

    def start(*options: str, **settings: str) -> Container:
        wanted = {"ENVIRONMENT_TYPE": "test", "AIPROXY_API_KEY": KEY, "WEB_CONCURRENCY": "1", **settings}
        container = containers(image, "--init", *HARDENED, "--publish", "127.0.0.1::5000", *options, **wanted)
        container.wait_healthy()
        return container

    return start
