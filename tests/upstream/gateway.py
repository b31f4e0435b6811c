"""The real server as a subprocess: gunicorn on a free loopback port, in an environment of its own."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import msgspec

from tests.upstream.ports import LOOPBACK, free_ports
from tests.upstream.server import Upstream

ROOT = Path(__file__).resolve().parents[2]
KEY = "key-of-the-tests-0123456789"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
TICK = 0.02


class Gateway:
    """One running server.

    Its working directory is `directory`, away from the checkout, so that the
    tester's own config.txt is not read; stdout.log and stderr.log are there too.
    `root` holds `gunicorn.conf.py` and the package `src`.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str], root: Path = ROOT) -> None:
        port, metrics_port = free_ports(2)
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.settings = {
            **_environment(directory, root),
            "PORT": str(port),
            "METRICS_PORT": str(metrics_port),
            **settings,
        }
        self.key = self.settings.get("AIPROXY_API_KEY", "")
        self.url = f"http://{LOOPBACK}:{self.settings['PORT']}"
        self.metrics_url = f"http://{LOOPBACK}:{self.settings['METRICS_PORT']}"
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    @property
    def pid(self) -> int:
        """The process id of gunicorn's master."""
        return self._running().pid

    @property
    def worker_pids(self) -> list[int]:
        """The process ids of the workers (from Linux's /proc)."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def start(self, timeout: float = START_SECONDS) -> None:
        """Start and wait until `/monitoring/ready` says 200. Raises `RuntimeError` with the output otherwise."""
        self.launch()
        end = time.monotonic() + timeout
        while self.ready_status() != http.HTTPStatus.OK:
            if self._running().poll() is not None or time.monotonic() > end:
                self.stop(grace=0)
                raise RuntimeError(f"the gateway did not become ready\n{self.output()}")
            gevent.sleep(TICK)

    def launch(self) -> None:
        """Start without waiting: for a server that is meant to refuse."""
        command = [sys.executable, "-m", "gunicorn", "-c", str(self._root / "gunicorn.conf.py")]
        out_path, err_path = self.directory / "stdout.log", self.directory / "stderr.log"
        with out_path.open("ab") as out, err_path.open("ab") as err:
            # A session of its own, so that stopping by process group reaches the workers and nobody else.
            self._process = subprocess.Popen(
                command, cwd=self.directory, env=self.settings, stdout=out, stderr=err, start_new_session=True
            )
        self._stopped = False

    def ready_status(self) -> int | None:
        """The status of `/monitoring/ready`; None while nobody answers."""
        connection = http.client.HTTPConnection(LOOPBACK, int(self.settings["PORT"]), timeout=2)
        try:
            connection.request("GET", "/monitoring/ready")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the master."""
        self._running().send_signal(number)

    def wait(self, timeout: float = STOP_SECONDS) -> int:
        """The exit status, once it has ended. Raises `subprocess.TimeoutExpired`."""
        return self._running().wait(timeout)

    def stop(self, grace: float = STOP_SECONDS) -> int | None:
        """Ask it to stop, kill what is left after `grace` seconds. The master's exit status; None if never started."""
        if self._process is None:
            return None
        if self._stopped:  # its number may belong to somebody else by now
            return self._process.returncode
        if self._process.poll() is None and grace:
            self._process.terminate()
            self._wait_quietly(grace)
        with suppress(ProcessLookupError):  # all gone by themselves
            os.killpg(self._process.pid, signal.SIGKILL)  # the group is ours: see launch
        self._stopped = True
        return self._process.wait()

    def output(self) -> str:
        """Everything it wrote, standard output first."""
        parts = []
        for name in ("stdout.log", "stderr.log"):
            path = self.directory / name
            parts.append(f"--- {name}\n{path.read_text(errors='replace') if path.exists() else ''}")
        return "\n".join(parts)

    def log_lines(self) -> list[dict[str, Any]]:
        """The log lines that are complete JSON objects, from both streams, each in its own order."""
        return list(_json_lines(self.output()))

    def wait_for_line(
        self, predicate: Callable[[dict[str, Any]], object], timeout: float = STOP_SECONDS
    ) -> dict[str, Any]:
        """The first log line that satisfies the predicate, as soon as it is written.

        Raises `TimeoutError` with the output.
        """
        end = time.monotonic() + timeout
        while True:
            found = next((line for line in self.log_lines() if predicate(line)), None)
            if found is not None:
                return found
            if time.monotonic() > end:
                raise TimeoutError(f"no such log line within {timeout:g} s\n{self.output()}")
            gevent.sleep(TICK)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the gateway was not started")
        return self._process

    def _wait_quietly(self, seconds: float) -> None:
        try:
            self._running().wait(seconds)
        except subprocess.TimeoutExpired:  # the caller kills it now
            return


class Gateways:
    """Starts gateways, each in a directory of its own below `directory`, and stops them all at the end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.started: list[Gateway] = []

    def __call__(self, upstream: Upstream | None = None, *, models: str | None = None, **settings: str) -> Gateway:
        """A gateway that is ready. `upstream` stands in for OpenAI and Anthropic; `models` is a models.toml's text."""
        gateway = self.prepare(upstream, models=models, **settings)
        gateway.start()
        return gateway

    def prepare(self, upstream: Upstream | None = None, *, models: str | None = None, **settings: str) -> Gateway:
        """The same, not started yet."""
        directory = self._directory / f"gateway-{len(self.started)}"
        merged = vendors(upstream) | settings if upstream else settings
        if models is not None:
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "models.toml").write_text(models)
            merged = {"MODELS_FILE": str(directory / "models.toml")} | merged
        gateway = Gateway(directory, merged)
        self.started.append(gateway)
        return gateway

    def stop(self) -> None:
        """Stop every gateway that still runs."""
        for gateway in self.started:
            gateway.stop()


def vendors(upstream: Upstream) -> dict[str, str]:
    """The settings that send OpenAI's and Anthropic's models to an upstream."""
    return {
        "OPENAI_BASE_URL": upstream.openai_url,
        "OPENAI_API_KEY": "sk-vendor-openai-0123456789",
        "ANTHROPIC_BASE_URL": upstream.url,
        "ANTHROPIC_API_KEY": "sk-ant-vendor-0123456789",
    }


def _environment(directory: Path, root: Path) -> dict[str, str]:
    """Built from scratch: nothing of the tester's own environment but the search path of programs."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "PYTHONPATH": str(root),
        "PYTHONUNBUFFERED": "1",
        "HOST": LOOPBACK,
        "MODELS_FILE": str(root / "models.toml"),
        "AIPROXY_API_KEY": KEY,
        "WEB_CONCURRENCY": "1",
        "LOG_FORMAT": "json",
        "GRACEFUL_TIMEOUT_SECONDS": "5",
    }


def _json_lines(text: str) -> Iterator[dict[str, Any]]:
    """A line that is still being written, or is no JSON (a traceback), is left out."""
    for line in text.splitlines():
        try:
            value = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(value, dict):
            yield value
