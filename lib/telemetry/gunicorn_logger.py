"""Gunicorn's own lines go where all others go.

In gunicorn.conf.py: `logger_class = "lib.telemetry.gunicorn_logger.GunicornLogger"`, after `configure_logs`.
Gunicorn's `--error-logfile` and `--access-logfile` have no effect then: a file of its own would not be redacted,
and the access line is written by the web floor.
"""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger


class GunicornLogger(Logger):  # type: ignore[misc]  # gunicorn publishes no types
    """Has no handlers, so that the root logger's are used."""

    def setup(self, cfg: Any) -> None:
        """Called at the start and after each reload."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing."""
