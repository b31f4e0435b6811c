"""Where every line of this process ends: rendered, redacted, written at once."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from typing import Any, Protocol

from lib.telemetry.lines import RENDERERS, Format, Render, error_of
from lib.telemetry.redaction import Redactor

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
STANDARD_OUTPUT = 1  # the descriptor: `sys.stdout` has a buffer, and may be somebody's stand-in
GRAVE = ("error", "critical")
Report = Callable[[str, dict[str, Any], BaseException | None], None]


class Stream(Protocol):
    """An unbuffered binary file."""

    def write(self, data: bytes, /) -> int | None:
        """Write some of `data`; how many bytes, or None when none could be."""


class Sink:
    """Takes events, writes lines. Before it is told anything it writes JSON at level info to standard output.

    `report` is called for each event of level error or critical with its level, its fields and its
    exception. `lost` counts lines that could not be written; a later line says so.
    """

    def __init__(self, stream: Stream | None = None, fmt: Format = "json") -> None:
        self.threshold = logging.INFO
        self.redactor = Redactor()
        self.report: Report | None = None
        self.lost = 0
        self._stream = stream
        self._line: Render = RENDERERS[fmt]

    def direct(self, stream: Stream | None, fmt: Format) -> None:
        """Write to `stream` (None: standard output) from now on, in this format."""
        self._stream = stream
        self._line = RENDERERS[fmt]

    def accept(self, level: str, fields: dict[str, Any]) -> None:
        """Write one event: `event` and any other fields, `exc_info` among them."""
        if self.lost:
            self._own_up()
        self._write(self._line(self.redactor, level, fields))
        if level in GRAVE and self.report is not None:
            self.report(level, fields, error_of(fields.get("exc_info")))

    def debug(self, fields: dict[str, Any]) -> None:
        """`accept` at this level, as structlog asks its last link; so are the next four."""
        self.accept("debug", fields)

    def info(self, fields: dict[str, Any]) -> None:
        self.accept("info", fields)

    def warning(self, fields: dict[str, Any]) -> None:
        self.accept("warning", fields)

    def error(self, fields: dict[str, Any]) -> None:
        self.accept("error", fields)

    def critical(self, fields: dict[str, Any]) -> None:
        self.accept("critical", fields)

    def write(self, line: bytes) -> None:
        """Write a line as it is, whatever the level: for lines that are made for machines and hold no text."""
        self._write(line)

    def _own_up(self) -> None:
        lost, self.lost = self.lost, 0
        self._write(self._line(self.redactor, "warning", {"event": "log lines were lost", "count": lost}))

    def _write(self, line: bytes) -> None:
        """All of `line`, in one piece unless the system takes only a part. A full disk must not fail a request."""
        try:
            if self._stream is None:
                self._stream = _standard_output()
            written = self._stream.write(line)
            while written is not None and written < len(line):
                line = line[written:]
                written = self._stream.write(line)
        except OSError:
            written = None
        if written is None:
            self.lost += 1


def _standard_output() -> Stream:
    """Standard output without a buffer: a line is one write, also between forked processes."""
    os.set_blocking(STANDARD_OUTPUT, True)
    return io.FileIO(STANDARD_OUTPUT, "w", closefd=False)
