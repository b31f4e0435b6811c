"""Floor 1: logs, metrics, error reports. Importing it starts nothing and does not load prometheus_client."""

from lib.telemetry.embedded_metrics import EmbeddedMetrics
from lib.telemetry.logs import Logger, add_secrets, configure_logs, get_logger, redact
from lib.telemetry.metrics import Finished, Metrics, NoMetrics
from lib.telemetry.metrics_files import child_exit, prepare_multiprocess_dir
from lib.telemetry.metrics_server import MetricsServer, serve_metrics
from lib.telemetry.redaction import MIN_SECRET
from lib.telemetry.reports import Reports, configure_reports
from lib.telemetry.server_counts import ServerCounts

__all__ = [
    "MIN_SECRET",
    "EmbeddedMetrics",
    "Finished",
    "Logger",
    "Metrics",
    "MetricsServer",
    "NoMetrics",
    "Reports",
    "ServerCounts",
    "add_secrets",
    "child_exit",
    "configure_logs",
    "configure_reports",
    "get_logger",
    "prepare_multiprocess_dir",
    "redact",
    "serve_metrics",
]
