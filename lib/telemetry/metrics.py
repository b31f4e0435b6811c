"""What is counted, and with which labels.

A label takes few values: route templates, known models, and at most `MAX_VALUES` of anything else. In the
server the numbers are those of all workers together (`lib.telemetry.metrics_files`); in a process without
`prepare_multiprocess_dir` they are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TypeVar

import msgspec

MAX_VALUES = 200  # of one label
OTHER = "other"
NONE = "none"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

Child = TypeVar("Child")


class Finished(msgspec.Struct, gc=False, kw_only=True):
    """A request that is over. `route` is its template. Times are in seconds from its arrival.

    `provider` and `model` are whoever answered; None when no provider was asked, or none answered.
    """

    route: str
    method: str
    status: int
    seconds: float
    provider: str | None = None
    model: str | None = None
    first_byte: float | None = None


class Metrics:
    """Counts what happens. Only models in `known_models` are named; all others together are `other`."""

    def __init__(self, known_models: Container[str] = frozenset()) -> None:
        from lib.telemetry.instruments import Instruments  # noqa: PLC0415 imports prometheus_client: see there

        made = Instruments()
        self.registry = made.registry
        self._known_models = known_models
        self._routes, self._providers, self._codes, self._kinds = _Values(), _Values(), _Values(), _Values()
        self._requests = _Children(made.requests.labels)
        self._durations = _Children(made.durations.labels)
        self._first_bytes = _Children(made.first_bytes.labels)
        self._tokens = _Children(made.tokens.labels)
        self._cost = _Children(made.cost.labels)
        self._refused = _Children(made.refused.labels)
        self._stores = _Children(made.stores.labels)
        self._failures = _Children(made.failures.labels)
        self._gone = _Children(made.gone.labels)
        self._in_flight, self._streams = made.in_flight, made.streams

    def entered(self) -> None:
        """A request has arrived."""
        self._in_flight.inc()

    def left(self) -> None:
        """A request that had `entered` is no longer served."""
        self._in_flight.dec()

    def finished(self, request: Finished) -> None:
        """Count a request that is over."""
        route = self._routes[request.route]
        provider = self._providers[request.provider or NONE]
        model = self._model(request.model)
        method = request.method if request.method in METHODS else OTHER
        self._requests[route, method, request.status, provider, model].inc()
        self._durations[route, provider].observe(request.seconds)
        if request.first_byte is not None:
            self._first_bytes[provider, model].observe(request.first_byte)

    def tokens(self, provider: str, model: str | None, kind: str, count: int) -> None:
        """Add tokens of one kind: `input`, `output`, `cache_read`, `cache_write`, ..."""
        if count > 0:
            self._tokens[self._providers[provider], self._model(model), self._kinds[kind]].inc(count)

    def cost(self, provider: str, model: str | None, exactness: str, usd: float) -> None:
        """Add what a call cost. `exactness` is the ledger's word; the ledger alone is exact to the last digit."""
        if usd > 0:
            self._cost[self._providers[provider], self._model(model), exactness].inc(usd)

    def refused(self, code: str) -> None:
        """A call that was kept from any vendor: a budget, a rate. `code` is the error's."""
        self._refused[(self._codes[code],)].inc()

    def store_failed(self, store: str) -> None:
        """A store was down or slow: `database` or `rates`."""
        self._stores[(store,)].inc()

    def attempt_failed(self, provider: str, code: str) -> None:
        """One attempt failed by the vendor's fault. `code` is the error's."""
        self._failures[self._providers[provider], self._codes[code]].inc()

    def client_gone(self, route: str) -> None:
        """A client left before the end of its answer."""
        self._gone[(self._routes[route],)].inc()

    def stream_opened(self) -> None:
        """A stream has begun."""
        self._streams.inc()

    def stream_closed(self) -> None:
        """A stream that was opened has ended."""
        self._streams.dec()

    def _model(self, model: str | None) -> str:
        if model is None:
            return NONE
        return model if model in self._known_models else OTHER


class NoMetrics(Metrics):
    """Counts nothing and loads nothing: what a server without a port for metrics uses."""

    def __init__(self) -> None:  # nothing to make
        pass

    def entered(self) -> None:
        """Nothing."""

    def left(self) -> None:
        """Nothing."""

    def finished(self, request: Finished) -> None:
        """Nothing."""

    def tokens(self, provider: str, model: str | None, kind: str, count: int) -> None:
        """Nothing."""

    def cost(self, provider: str, model: str | None, exactness: str, usd: float) -> None:
        """Nothing."""

    def refused(self, code: str) -> None:
        """Nothing."""

    def store_failed(self, store: str) -> None:
        """Nothing."""

    def attempt_failed(self, provider: str, code: str) -> None:
        """Nothing."""

    def client_gone(self, route: str) -> None:
        """Nothing."""

    def stream_opened(self) -> None:
        """Nothing."""

    def stream_closed(self) -> None:
        """Nothing."""


class _Values(dict[str, str]):
    """The values a label has taken; beyond `MAX_VALUES` every new one is `other`."""

    def __missing__(self, value: str) -> str:
        if len(self) >= MAX_VALUES:
            return OTHER
        self[value] = value
        return value


class _Children(dict[tuple[str | int, ...], Child]):
    """What counts for one set of labels, made when it is first asked for."""

    def __init__(self, labels: Callable[..., Child]) -> None:
        super().__init__()
        self._labels = labels

    def __missing__(self, key: tuple[str | int, ...]) -> Child:
        child = self[key] = self._labels(*key)
        return child
