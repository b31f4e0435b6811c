"""gunicorn's own log lines, through the same sink as ours."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger


class ServerLog(Logger):  # type: ignore[misc]
    """Adds no handler of its own: the root logger's writes, and redacts."""

    def setup(self, cfg: Any) -> None:
        """Take only the level from gunicorn's configuration."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
        self.error_log.setLevel(logging.getLogger().level)
