"""A line of metrics among the log lines, which CloudWatch Logs turns into metrics of CloudWatch.

One line tells of the whole server, all its workers. Wire format: Amazon CloudWatch User Guide, "Specification:
Embedded metric format".
"""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lib.telemetry.lines import encoded
from lib.telemetry.logs import SINK, get_logger
from lib.telemetry.metrics_files import VARIABLE, collect
from lib.telemetry.server_counts import ServerCounts

if TYPE_CHECKING:
    from prometheus_client import Metric

NAMESPACE = "AIProxy"
_UNITS = {  # "None" is a unit: CloudWatch knows no money
    "InFlightCalls": "Count",
    "Calls": "Count",
    "SpendUSD": "None",
    "BudgetRefusals": "Count",
    "SecretRefreshFailures": "Count",
    "SecretsToCome": "Count",
}
_NO_CALLS = ("unmatched", "/admin")  # beginnings of routes
_BUDGETS = ("budget_exceeded", "run_budget_exceeded")
Labels = Mapping[str, str]
log = get_logger("aiproxy.metrics")


def _is_call(labels: Labels) -> bool:
    """Whether a request was one for which the gateway is there: neither a probe nor administration."""
    return labels["method"] == "POST" and not labels["route"].startswith(_NO_CALLS)


def _is_budget(labels: Labels) -> bool:
    return labels["code"] in _BUDGETS


def _any(_labels: Labels) -> bool:
    return True


_SUMS: Mapping[str, tuple[str, Callable[[Labels], bool]]] = {  # since the start: of which samples, with which labels
    "Calls": ("aiproxy_requests_total", _is_call),
    "SpendUSD": ("aiproxy_cost_usd_total", _any),
    "BudgetRefusals": ("aiproxy_refused_total", _is_budget),
    "SecretRefreshFailures": ("aiproxy_secret_refresh_failures_total", _any),
}
_NOW = {  # at this moment, over all samples
    "InFlightCalls": "aiproxy_requests_in_flight",
    "SecretsToCome": "aiproxy_secrets_to_come",
}


class EmbeddedMetrics:
    """Writes the lines of one server; `service` is the metrics' dimension.

    Made in the process that forks the workers. Raises KeyError without `prepare_multiprocess_dir`.
    """

    def __init__(self, service: str, counts: ServerCounts) -> None:
        self._service = service
        self._folder = Path(os.environ[VARIABLE])
        self._counts = counts
        self._writing = threading.Lock()
        self._before = self._sums(self._samples())  # and whatever this imports: no worker is forked meanwhile

    def start(self, seconds: float) -> None:
        """Write a line every so many seconds from now on."""
        threading.Thread(target=self._run, args=(seconds,), name="embedded metrics", daemon=True).start()

    def write(self) -> None:
        """Write a line: what is the case now, and what has happened since the line before."""
        with self._writing:
            SINK.write(self.line(time.time_ns() // 1_000_000))

    def line(self, milliseconds: int) -> bytes:
        """The next line, for this moment."""
        samples = self._samples()
        sums = self._sums(samples)
        values = {metric: sum(value for name, _, value in samples if name == wanted) for metric, wanted in _NOW.items()}
        values |= {name: round(max(0.0, total - self._before[name]), 9) for name, total in sums.items()}
        self._before = sums
        metrics = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
        told = {"Namespace": NAMESPACE, "Dimensions": [["Service"]], "Metrics": metrics}
        head = {"Timestamp": milliseconds, "CloudWatchMetrics": [told]}
        return encoded({"_aws": head, "Service": self._service, **values}) + b"\n"

    def _run(self, seconds: float) -> None:
        while True:
            time.sleep(seconds)
            try:
                self.write()
            except (OSError, ValueError, struct.error):  # a worker's file in the making: the next line makes up for it
                log.warning("a line of metrics was left out", exc_info=True)

    def _samples(self) -> list[tuple[str, Labels, float]]:
        families: Iterable[Metric] = [*collect(self._folder), *self._counts.collect()]
        return [(sample.name, sample.labels, sample.value) for family in families for sample in family.samples]

    @staticmethod
    def _sums(samples: list[tuple[str, Labels, float]]) -> dict[str, float]:
        return {
            metric: sum(value for name, labels, value in samples if name == wanted and counts(labels))
            for metric, (wanted, counts) in _SUMS.items()
        }
