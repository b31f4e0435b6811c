"""Fixtures that every test may use: a vendor that misbehaves, and the real server in front of it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import Path

import pytest

from tests.upstream import Gateway, Gateways, Upstream


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
