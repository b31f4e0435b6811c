"""The list of what Prometheus is told: names, meanings, labels.

Importing this imports prometheus_client, which chooses then how it counts: see `lib.telemetry.metrics_files`.
"""

from __future__ import annotations

import os
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from lib.telemetry.metrics_files import VARIABLE

# Seconds: from an answer out of memory to a reasoning model's last word.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 180, 300)
LIVE: Literal["livesum"] = "livesum"  # a gauge is the sum over the workers that live


class _Process:
    """The id of this process. prometheus_client asks for it at every count, a dozen times a request."""

    def __init__(self) -> None:
        self._look()
        os.register_at_fork(after_in_child=self._look)

    def _look(self) -> None:
        self._id = os.getpid()

    def __call__(self) -> int:
        return self._id


if os.environ.get(VARIABLE):
    values.ValueClass = values.MultiProcessValue(_Process())  # type: ignore[no-untyped-call]


class Instruments:
    """One of each, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "aiproxy_requests",
            "Requests that are over.",
            ("route", "method", "status", "provider", "model"),
            registry=registry,
        )
        self.durations = Histogram(
            "aiproxy_request_duration_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("route", "provider"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.first_bytes = Histogram(
            "aiproxy_first_byte_seconds",
            "Time from a request's arrival to the first content of its answer.",
            ("provider", "model"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.tokens = Counter(
            "aiproxy_tokens",
            "Tokens as the vendor counted them; `kind` says which, cache reads and writes apart from plain input.",
            ("provider", "model", "kind"),
            registry=registry,
        )
        self.cost = Counter(
            "aiproxy_cost_usd",
            "What calls cost in USD; `exactness` says whether the vendor counted.",
            ("provider", "model", "exactness"),
            registry=registry,
        )
        self.refused = Counter(
            "aiproxy_refused", "Calls that a limit of ours kept from any vendor.", ("code",), registry=registry
        )
        self.stores = Counter(
            "aiproxy_store_failures", "Times that a store of ours was down or slow.", ("store",), registry=registry
        )
        self.failures = Counter(
            "aiproxy_attempt_failures",
            "Attempts that failed by the vendor's fault; another may have followed.",
            ("provider", "code"),
            registry=registry,
        )
        self.gone = Counter(
            "aiproxy_clients_gone", "Requests whose client left before the end.", ("route",), registry=registry
        )
        self.in_flight = Gauge(
            "aiproxy_requests_in_flight", "Requests being served.", registry=registry, multiprocess_mode=LIVE
        )
        self.streams = Gauge("aiproxy_streams_open", "Streams being sent.", registry=registry, multiprocess_mode=LIVE)
