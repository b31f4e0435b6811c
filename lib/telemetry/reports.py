"""Errors are reported to Honeybadger, each once, when there is a key for it.

Spoken directly instead of through Honeybadger's package, which starts a thread for each notice without a
limit on their number or their time (and see `lib.telemetry.outbox` for threads), keeps another one running,
and takes over SIGTERM and `sys.excepthook` when it is imported. A notice says what failed and where in the
code. It holds no request, environment variable, local variable, host name or absolute path of the project;
what is left is redacted as log lines are.

Wire format: Honeybadger documentation, "Reporting errors" (`POST /v1/notices`).
"""

from __future__ import annotations

import atexit
import logging
import platform
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import dropwhile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from lib.telemetry.courier import Parcel
from lib.telemetry.lines import encoded
from lib.telemetry.logs import SINK, add_secrets, get_logger
from lib.telemetry.outbox import Outbox

VENDOR = "https://api.honeybadger.io"
LAST_SECONDS = 3  # for all that wait when the process ends
MAX_BYTES = 262_144  # the vendor takes no more
MAX_FRAMES = 100
MAX_CAUSES = 5
NOTIFIER = {"name": "aiproxy", "url": "https://docs.honeybadger.io/api/reporting-exceptions/", "version": "1"}
AGENT = f"aiproxy 1; {platform.python_version()}; {platform.machine()}-{platform.system().lower()}"
_ROOT = f"{Path(__file__).parents[2]}/"
_LOGGING = tuple(str(Path(file).parent) for file in (__file__, structlog.__file__, logging.__file__))
_REPORTED = "_aiproxy_reported"
_NOT_CONTEXT = frozenset({"event", "exc_info"})
log = get_logger("aiproxy.reports")


def configure_reports(api_key: str | None, environment: str, endpoint: str | None = None) -> Reports | None:
    """Report every line of level error or critical from now on. None, and none are, when there is no key.

    `endpoint` is Honeybadger's base URL when it is not the vendor's. Raises ValueError for anything but an
    http(s) URL, and for a key that no header can carry.
    """
    if not api_key:
        SINK.report = None
        return None
    reports = Reports(api_key, environment, endpoint or VENDOR)
    add_secrets([api_key])
    SINK.report = reports.report
    atexit.register(reports.flush, LAST_SECONDS)
    return reports


class Reports:
    """Makes notices of events and sends them in the background."""

    def __init__(self, api_key: str, environment: str, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("the address of error reports must begin with http:// or https:// and name a host")
        if not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("the key of error reports holds characters that no HTTP header may hold")
        self._url = f"{endpoint.rstrip('/')}/v1/notices"
        self._headers = {
            "X-API-Key": api_key,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": AGENT,
        }
        self._environment = environment
        self._outbox = Outbox()

    def report(self, level: str, fields: dict[str, Any], error: BaseException | None) -> None:
        """Report one event, unless it is about an exception that has been reported. Does not wait."""
        if error is not None:
            if getattr(error, _REPORTED, False):
                return
            setattr(error, _REPORTED, True)
        notice = SINK.redactor.fields(self._notice(level, fields, error))
        body = encoded(notice)
        if len(body) > MAX_BYTES:
            notice["request"] = {"context": {"level": level, "cut": True}}
            body = encoded(notice)
        self._outbox.put(Parcel(self._url, self._headers, body))
        if self._outbox.dropped:
            log.warning("error reports were dropped", count=self._outbox.dropped)
            self._outbox.dropped = 0

    def flush(self, seconds: float) -> bool:
        """Wait until all is sent, but no longer than this. Whether it is."""
        return self._outbox.flush(seconds)

    def _notice(self, level: str, fields: dict[str, Any], error: BaseException | None) -> dict[str, Any]:
        event = str(fields.get("event", ""))
        context = {name: value for name, value in fields.items() if name not in _NOT_CONTEXT}
        return {
            "notifier": NOTIFIER,
            "error": _error(error) if error is not None else _event(event, fields),
            "request": {"context": {"level": level, "event": event, **context}},
            "server": {
                "environment_name": self._environment,
                "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        }


def _error(error: BaseException) -> dict[str, Any]:
    described = _described(error)
    described["causes"] = [_described(cause) for cause in _causes(error)]
    return described


def _event(event: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A line without an exception: named after its logger, placed where it was written."""
    stack = traceback.StackSummary.extract(traceback.walk_stack(None), limit=MAX_FRAMES, lookup_lines=False)
    frames = dropwhile(lambda frame: frame.filename.startswith(_LOGGING), stack)
    return {"class": fields.get("logger", "log"), "message": event, "backtrace": [_frame(frame) for frame in frames]}


def _described(error: BaseException) -> dict[str, Any]:
    told = traceback.TracebackException(
        type(error), error, error.__traceback__, limit=-MAX_FRAMES, lookup_lines=False, capture_locals=False
    )
    return {
        "class": type(error).__qualname__,
        "message": str(told),
        "backtrace": [_frame(frame) for frame in reversed(told.stack)],
    }


def _causes(error: BaseException) -> Iterator[BaseException]:
    for _ in range(MAX_CAUSES):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return
        yield cause
        error = cause


def _frame(frame: traceback.FrameSummary) -> dict[str, Any]:
    file = frame.filename
    if file.startswith(_ROOT):
        file = f"[PROJECT_ROOT]/{file.removeprefix(_ROOT)}"
    return {"number": frame.lineno, "file": file, "method": frame.name}
