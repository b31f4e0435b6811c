"""What the drills share: vendors and servers that live as long as a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.databases import new_sqlite, prepared
from tests.drills.audit import Books
from tests.servers import Postgres
from tests.upstream import Call, Gateway, Gateways, Upstream

Serve = Callable[..., Gateway]
DATABASES = ("sqlite", "postgresql")


class Seen:
    """What a vendor saw since this was made."""

    def __init__(self, vendor: Upstream) -> None:
        self._vendor = vendor
        self._before = len(vendor.calls)

    @property
    def calls(self) -> list[Call]:
        """The calls, in the order of arrival."""
        return self._vendor.calls[self._before :]

    @property
    def models(self) -> list[str]:
        """What they asked for."""
        return [call.model for call in self.calls]

    @property
    def call(self) -> Call:
        """The only call. Fails when there was none, or more than one."""
        (call,) = self.calls
        return call

    def cancelled(self) -> Call:
        """The only call, once its client has left."""
        self._vendor.wait(lambda _: self.calls and self.calls[-1].cancelled)
        return self.call


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    """A vendor for a whole module."""
    with Upstream() as running:
        yield running


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`serve(vendor, models=..., NAME=value)`: a server for a whole module."""
    gateways = Gateways(tmp_path_factory.mktemp("drill"))
    yield gateways
    gateways.stop()


@pytest.fixture
def seen(vendor: Upstream) -> Iterator[Seen]:
    """What the vendor sees during the test. Fails the test that sends it broken HTTP, or leaves plans unused."""
    yield Seen(vendor)
    left = vendor.planned
    vendor._book.planned.clear()  # the next test is not to blame
    assert (left, vendor.complaints) == ([], [])


def new_books(request: pytest.FixtureRequest) -> Books:
    """Books of their own, on the database that the request's parameter names."""
    if request.param == "sqlite":
        return Books(new_sqlite())
    postgres: Postgres = request.getfixturevalue("postgres")
    return Books(prepared(postgres.new_database()))


@pytest.fixture(params=DATABASES)
def books(request: pytest.FixtureRequest) -> Books:
    """New books, on each database in turn."""
    return new_books(request)
