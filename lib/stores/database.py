"""What every store of ours can do: run a piece of work in one transaction, within a time limit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from lib.base.errors import StoreFault, StoreUnavailable

T = TypeVar("T")
Row = tuple[Any, ...]
Params = Mapping[str, Any]

REPORTS = 2  # that a worker makes at once, so that they take no more than their share of threads and connections
REPORT_SECONDS = 30.0
_NAME = re.compile(r":([a-z]\w*)")


class Sql:
    """One statement in the spelling of each driver, made once. Parameters are written `:name` and always bound."""

    __slots__ = ("postgresql", "sqlite")

    def __init__(self, text: str) -> None:
        self.sqlite = text
        self.postgresql = _NAME.sub(r"%(\1)s", text.replace("%", "%%"))


class TakenBack(Exception):
    """Raised by a piece of work to take its transaction back."""


class Session(Protocol):
    """Statements inside one transaction."""

    def rows(self, sql: Sql, params: Params = ...) -> Sequence[Row]:
        """What a statement finds or returns."""

    def change(self, sql: Sql, params: Params = ...) -> int:
        """How many rows a statement changed."""


class Database(Protocol):
    """A place where rows are kept. Opens nothing before it is used."""

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""

    def run(self, work: Callable[[Session], T]) -> T:
        """Carry out `work` in one transaction that may write; all of it counts or nothing.

        `work` may be called again when its connection was lost, so it must not keep what it did. An error
        that it raises takes the transaction back. Raises `StoreUnavailable` when the store is down or slow.
        """

    def report(self, work: Callable[[Session], T]) -> T:
        """Carry out `work`, which only reads and may take up to `REPORT_SECONDS`, without holding up other calls.

        At most `REPORTS` at once; others wait for their turn. Raises `StoreUnavailable`.
        """

    def close(self) -> None:
        """Let go of every connection."""


def unavailable(error: BaseException | str) -> StoreUnavailable:
    """The error for a store that failed; what the driver said goes to the log."""
    detail = error if isinstance(error, str) else f"{type(error).__name__}: {error}".splitlines()[0]
    return StoreUnavailable(detail=detail)


def fault_of(error: BaseException) -> StoreFault:
    """The error for something that a store refuses to hold."""
    return StoreFault(detail=f"{type(error).__name__}: {error}".splitlines()[0])
