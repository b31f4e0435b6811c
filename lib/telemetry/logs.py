"""Structured logs: `log = get_logger("aiproxy.web")`, then `log.info("what happened", name=value)`.

A line says what happened to a request, never what was in it: no body, and no
part of one, is logged at any level. Below info, only this project's own lines
are written: other libraries' debug lines quote whole requests.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog

from lib.telemetry.lines import Format
from lib.telemetry.sink import LEVELS, Sink, Stream
from lib.telemetry.uncaught import catch_uncaught

SINK = Sink()
"""The one of this process."""


class Logger(structlog.BoundLoggerBase):
    """Writes events with fields. `bind(name=value)` gives a logger that adds these fields to each of its lines."""

    _logger: Sink

    def debug(self, event: str, **fields: Any) -> None:
        """For whoever looks for a fault."""
        if self._logger.threshold <= logging.DEBUG:
            self._proxy_to_logger("debug", event, **fields)

    def info(self, event: str, **fields: Any) -> None:
        """As it should be."""
        if self._logger.threshold <= logging.INFO:
            self._proxy_to_logger("info", event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Out of the ordinary; nobody need come."""
        if self._logger.threshold <= logging.WARNING:
            self._proxy_to_logger("warning", event, **fields)

    def error(self, event: str, **fields: Any) -> None:
        """Somebody should look. Reported when reports are on."""
        if self._logger.threshold <= logging.ERROR:
            self._proxy_to_logger("error", event, **fields)

    def critical(self, event: str, **fields: Any) -> None:
        """Somebody should look now. Reported when reports are on."""
        if self._logger.threshold <= logging.CRITICAL:
            self._proxy_to_logger("critical", event, **fields)

    def exception(self, event: str, **fields: Any) -> None:
        """An error with the exception that is being handled."""
        self.error(event, **{"exc_info": True, **fields})


def hand_over(sink: Any, level: str, fields: MutableMapping[str, Any]) -> tuple[Any, ...]:
    """Structlog's only processor here: the fields go to the sink as they are, which does the rest."""
    del sink, level
    return (fields,), {}


def get_logger(name: str) -> Logger:
    """The logger of a part of the program, such as `aiproxy.web`. Cheap; may be called before `configure_logs`."""
    return Logger(SINK, (hand_over,), {"logger": name})


def configure_logs(level: str, fmt: Format, secrets: Iterable[str] = (), stream: Stream | None = None) -> None:
    """Write lines at `level` (`INFO`, ...) and above to `stream` (standard output), none of `secrets` among them.

    Everything goes this way: our loggers, structlog's, `logging`, warnings, and exceptions that nobody
    caught. May be called again. Raises KeyError for an unknown level or format.
    """
    SINK.threshold = LEVELS[level.lower()]
    SINK.direct(stream, fmt)
    add_secrets(secrets)
    structlog.configure(
        processors=[hand_over],
        wrapper_class=Logger,
        logger_factory=lambda *_names: SINK,
        cache_logger_on_first_use=False,
    )
    _take_over_logging(SINK)
    catch_uncaught(get_logger("aiproxy.uncaught"))


def add_secrets(values: Iterable[str]) -> None:
    """Keep these out of every line from now on, too: for keys that were rotated in."""
    short = SINK.redactor.add(values)
    if short:
        get_logger("aiproxy.telemetry").warning("secrets too short to be redacted", count=short)


def redact(text: str) -> str:
    """`text` as a log line would show it, in full length: for words of others that are handed on."""
    return SINK.redactor.whole(text)


class _FromLogging(logging.Handler):
    """Passes records of `logging` on. Their `extra` fields stay behind: nobody knows what is in them."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(max(sink.threshold, logging.INFO))
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            event = record.getMessage()
        except (TypeError, ValueError, KeyError):  # the message does not fit its arguments
            event = str(record.msg)
        fields: dict[str, Any] = {"logger": record.name, "event": event}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        self._sink.accept(_level_name(record.levelno), fields)


def _take_over_logging(sink: Sink) -> None:
    handler = _FromLogging(sink)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(handler.level)
    logging.captureWarnings(True)


def _level_name(number: int) -> str:
    return next((name for name in reversed(LEVELS) if number >= LEVELS[name]), "debug")
