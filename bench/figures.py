"""The figures of a run: what `--json` prints, and what the table is made of. None: not measured."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Streams(msgspec.Struct):
    """So many streams at once. `events_per_second` is over all of them; `first_*` are milliseconds to the first
    event beyond the upstream's own delay; `lost` streams were refused, cut, incomplete or not over in time."""

    open: int
    lost: int
    events_per_second: float
    cpu_us_per_event: float | None
    first_p50_ms: float | None
    first_p99_ms: float | None


class Figures(msgspec.Struct):
    """One server. Latencies are in milliseconds at one call at a time, and `added_*` is what is beyond direct calls;
    `requests_per_second` and `cpu_us_per_request` are at 16 calls at a time; memory is in MB of 2**20 bytes."""

    ready_seconds: float | None = None
    idle_mb: float | None = None
    peak_mb: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    added_p50_ms: float | None = None
    added_p99_ms: float | None = None
    requests_per_second: float | None = None
    cpu_us_per_request: float | None = None
    failed_requests: int = 0
    streams: list[Streams] = []


class Report(msgspec.Struct):
    """A whole run. `notes` say what to keep in mind when reading it, and what went wrong."""

    cores: int
    seconds: float
    direct: Figures
    servers: dict[str, Figures]
    notes: list[str]


def at(values: Sequence[float], part: float) -> float | None:
    """The value below which `part` of these sorted values lie; None when there are none."""
    return values[int((len(values) - 1) * part)] if values else None


def beyond(value: float | None, base: float | None) -> float | None:
    """What `value` has beyond `base`, when both are known."""
    return None if value is None or base is None else value - base
