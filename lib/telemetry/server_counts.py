"""What the process counts that outlives its workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric


@dataclass(slots=True)
class ServerCounts:
    """Its own numbers; those of its workers are in files (`lib.telemetry.metrics_files`)."""

    secret_refresh_failures: int = 0
    secrets_to_come: int = 0

    def collect(self) -> Iterator[Metric]:
        """The same as Prometheus knows them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily  # noqa: PLC0415 see metrics_files

        yield CounterMetricFamily(
            "aiproxy_secret_refresh_failures",
            "Times that secrets could not be read again, or could not be used.",
            self.secret_refresh_failures,
        )
        yield GaugeMetricFamily(
            "aiproxy_secrets_to_come",
            "Secrets that have no value yet, and without which the server has started.",
            self.secrets_to_come,
        )
