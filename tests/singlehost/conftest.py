"""One installation for the whole folder, served through nginx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drills.conftest import Seen, seen
from tests.servers import Nginx
from tests.singlehost.installed import Machine
from tests.upstream import Gateway, Upstream
from tests.upstream.gateway import vendors

__all__ = ["Seen", "seen"]
MOST = 8 * 1024 * 1024  # bytes of a request


@pytest.fixture(scope="package")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine on which the program is installed; a call may take 3 seconds."""
    machine = Machine.new(tmp_path_factory.mktemp("machine"))
    machine.install("--max-call-seconds", "3", "--max-body-bytes", str(MOST))
    return machine


@pytest.fixture(scope="package")
def vendor() -> Iterator[Upstream]:
    """The vendor of the installed server."""
    with Upstream() as running:
        yield running


@pytest.fixture(scope="package")
def server(machine: Machine, vendor: Upstream) -> Iterator[Gateway]:
    """The installed server, with pings every half a second."""
    server = machine.server(**vendors(vendor), PING_SECONDS="0.5", WEB_CONCURRENCY="2", LOG_FORMAT="json")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="package")
def nginx(machine: Machine, server: Gateway) -> Iterator[Nginx]:
    """nginx in front of it."""
    nginx = machine.nginx()
    try:
        nginx.start()
        yield nginx
    finally:
        nginx.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Machine:
    """A machine on which nothing is installed."""
    return Machine.new(tmp_path / "machine")
