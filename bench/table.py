"""The report as a table: a row for each figure, a column for each server, and the gateway's ratio to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.figures import Figures, Report

Pick = Callable[[Figures], float | None]
_LEFT, _COLUMN = 44, 12  # characters


def table(report: Report) -> str:
    """The table and its notes."""
    ours, *others = report.servers
    lines = [_line("", [*report.servers, *(f"{ours}/{other}" for other in others)])]
    for label, digits, pick in _rows(report):
        values = [pick(figures) for figures in report.servers.values()]
        if any(value is not None for value in values):
            ratios = [_ratio(values[0], value) for value in values[1:]]
            lines.append(_line(label, [*(_number(value, digits) for value in values), *ratios]))
    direct = f"{_number(report.direct.p50_ms, 2)} / {_number(report.direct.p99_ms, 2)} ms"
    notes = [f"direct calls, one at a time: p50 / p99 {direct}", *report.notes]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)])


def _rows(report: Report) -> Iterator[tuple[str, int, Pick]]:
    yield "requests a second, 16 at a time", 0, lambda f: f.requests_per_second
    yield "CPU for a request, 16 at a time, µs", 0, lambda f: f.cpu_us_per_request
    yield "added latency, 1 at a time, p50, ms", 2, lambda f: f.added_p50_ms
    yield "added latency, 1 at a time, p99, ms", 2, lambda f: f.added_p99_ms
    yield "failed requests", 0, lambda f: f.failed_requests
    numbers = [streams.open for streams in next(iter(report.servers.values())).streams]
    for place, number in enumerate(numbers):
        yield from _stream_rows(place, f"{number:,} streams")
    yield "memory, idle, MB", 1, lambda f: f.idle_mb
    yield "memory, peak, MB", 1, lambda f: f.peak_mb
    yield "start to ready, s", 2, lambda f: f.ready_seconds


def _stream_rows(place: int, name: str) -> Iterator[tuple[str, int, Pick]]:
    yield f"{name}: CPU for an event, µs", 1, lambda f: f.streams[place].cpu_us_per_event
    yield f"{name}: events a second", 0, lambda f: f.streams[place].events_per_second
    yield f"{name}: lost", 0, lambda f: f.streams[place].lost
    yield f"{name}: added to first token, p50, ms", 0, lambda f: f.streams[place].first_p50_ms
    yield f"{name}: added to first token, p99, ms", 0, lambda f: f.streams[place].first_p99_ms


def _line(label: str, cells: list[str]) -> str:
    return label.ljust(_LEFT) + "".join(cell.rjust(max(_COLUMN, len(cell) + 2)) for cell in cells)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _ratio(ours: float | None, other: float | None) -> str:
    return "" if ours is None or other is None or other <= 0 else f"{ours / other:.2f}"
