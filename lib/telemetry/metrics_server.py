"""The metrics of all workers, served by the one process that outlives them.

In gunicorn that is the arbiter: it is not patched by gevent and does nothing but watch its workers, so a
plain thread is enough, and a scrape costs no call a moment. Exposition format: "Text-based format",
Prometheus documentation.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from lib.telemetry.logs import get_logger
from lib.telemetry.metrics_files import VARIABLE, collect
from lib.telemetry.server_counts import ServerCounts

if TYPE_CHECKING:
    from prometheus_client import Metric

SECONDS = 10  # a scraper that stays silent for longer is left
log = get_logger("aiproxy.metrics")


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Serves on a thread of its own. `server_port` is where."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Quiet)
        os.register_at_fork(after_in_child=self.socket.close)  # or a worker would keep the port

    def server_bind(self) -> None:
        """Bind, without the look-up of the host's name that HTTPServer adds: it may hang for seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """A scraper that went away, most likely."""
        del request, client_address
        log.warning("a scrape failed", exc_info=sys.exception())

    def start(self) -> None:
        """Answer from now on."""
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self.shutdown()
        self.server_close()


class _Quiet(WSGIRequestHandler):
    timeout = SECONDS

    def log_message(self, *_args: object) -> None:
        """A scrape is not worth a line."""


class _AllWorkers:
    """What prometheus_client calls a collector."""

    def __init__(self, folder: Path, counts: ServerCounts) -> None:
        self._folder = folder
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        return [*collect(self._folder), *self._counts.collect()]


def serve_metrics(host: str, port: int, counts: ServerCounts | None = None) -> MetricsServer | None:
    """Serve `GET /metrics` for all workers, and `counts`, at this address; call it in the process that forks them.

    None when `port` is 0 (off), and when the address cannot be had: the log says so and the server runs on
    without. Raises KeyError without `prepare_multiprocess_dir`.
    """
    if port == 0:
        return None
    from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app  # noqa: PLC0415 see metrics_files

    registry = CollectorRegistry()
    registry.register(_AllWorkers(Path(os.environ[VARIABLE]), counts or ServerCounts()))
    generate_latest(registry)  # whatever this imports: a worker must not be forked while a thread does
    try:
        server = MetricsServer(host, port)
    except OSError as error:
        log.error("metrics are not served", host=host, port=port, reason=str(error))
        return None
    server.set_app(make_wsgi_app(registry))
    server.start()
    log.info("metrics are served", host=host, port=port)
    return server
