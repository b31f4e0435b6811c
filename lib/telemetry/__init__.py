"""Floor 1: logs. Importing it starts nothing."""

from lib.telemetry.logs import Logger, add_secrets, configure_logs, get_logger
from lib.telemetry.redaction import MIN_SECRET

__all__ = ["MIN_SECRET", "Logger", "add_secrets", "configure_logs", "get_logger"]
