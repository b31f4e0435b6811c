"""Fixtures that every test may use: a vendor that misbehaves, the real server in front of it, real stores behind."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import pytest

from tests.servers import Moto, Postgres, Redis
from tests.upstream import Gateway, Gateways, Upstream

pytest_plugins = ["tests.summary", "tests.sharing"]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A vendor on a loopback port. Fails the test that leaves plans unused or sends it broken HTTP."""
    with Upstream() as running:
        yield running
        assert running.planned == [], f"planned and never asked for; {running.summary()}"
        assert running.complaints == []


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateways]:
    """`gateway(upstream, models="...", LOG_LEVEL="DEBUG")` starts the real server and waits until it is ready."""
    gateways = Gateways(tmp_path)
    yield gateways
    gateways.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """One Redis for the whole run: leave it running, and use keys that are no other test's."""
    yield from _running_redis(tmp_path_factory.mktemp("redis"))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that the test may freeze, fill and kill."""
    yield from _running_redis(tmp_path)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run; `postgres.new_database()` gives a test a database of its own."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """One AWS for the whole run; use names that are no other test's."""
    server = Moto(tmp_path_factory.mktemp("moto"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_moto(tmp_path: Path) -> Iterator[Moto]:
    """An AWS that the test may freeze and kill."""
    server = Moto(tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _running_redis(directory: Path) -> Iterator[Redis]:
    server = Redis(directory)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the gateways of a failed test wrote."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for gateway in _gateways(item.funcargs.values()):
            report.sections.append((f"gateway {gateway.directory.name}", gateway.output()))
    return report


def _gateways(fixtures: Iterable[object]) -> Iterator[Gateway]:
    for value in fixtures:
        if isinstance(value, Gateway):
            yield value
        elif isinstance(value, Gateways):
            yield from value.started
