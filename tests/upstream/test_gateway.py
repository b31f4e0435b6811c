"""The fixture for the real server, tried on a stand-in that is ready at once and says what it was given."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.upstream import Gateway, Gateways, Upstream
from tests.upstream.gateway import KEY, vendors

CONFIG = """
import os
wsgi_app = "src:create_app()"
bind = "127.0.0.1:" + os.environ["PORT"]
workers = int(os.environ["WEB_CONCURRENCY"])
"""
APP = """
import json, os, sys

def create_app():
    def app(environ, start_response):
        print(json.dumps({"path": environ["PATH_INFO"], "pid": os.getpid()}), flush=True)
        print("not json", file=sys.stderr, flush=True)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({**os.environ, "cwd": os.getcwd()}).encode()]
    return app
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout in miniature."""
    (tmp_path / "root" / "src").mkdir(parents=True)
    (tmp_path / "root" / "gunicorn.conf.py").write_text(CONFIG)
    (tmp_path / "root" / "src" / "__init__.py").write_text(APP)
    return tmp_path / "root"


@pytest.fixture
def started(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A stand-in that runs, started by a tester whose environment holds a secret."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-testers-own")
    gateway = Gateway(tmp_path / "run", {"EXTRA": "1"}, root)
    gateway.start()
    yield gateway
    gateway.stop()


def ask(gateway: Gateway, path: str) -> dict[str, Any]:
    port = int(gateway.url.rpartition(":")[2])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path)
        value: dict[str, Any] = msgspec.json.decode(connection.getresponse().read())
        return value


def test_its_environment_is_its_own(started: Gateway) -> None:
    seen = ask(started, "/environment")
    assert "sk-the-testers-own" not in seen.values()
    assert (seen["EXTRA"], seen["AIPROXY_API_KEY"], seen["WEB_CONCURRENCY"]) == ("1", KEY, "1")
    assert seen["cwd"] == seen["HOME"] == str(started.directory)
    assert started.key == KEY
    assert seen["PORT"] != seen["METRICS_PORT"]


def test_log_lines_are_found_as_they_come(started: Gateway) -> None:
    ask(started, "/marked")
    line = started.wait_for_line(lambda line: line.get("path") == "/marked")
    assert line["pid"] in started.worker_pids
    assert "not json" in started.output()
    assert all("path" in line for line in started.log_lines())
    with pytest.raises(TimeoutError, match="not json"):
        started.wait_for_line(lambda line: line.get("path") == "/never", timeout=0.05)


def test_stopping_ends_master_and_workers(started: Gateway) -> None:
    pids = [started.pid, *started.worker_pids]
    assert len(pids) == 2
    assert started.stop() == 0
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert started.ready_status() is None
    assert started.stop() == 0


def test_a_master_that_ignores_the_request_is_killed(started: Gateway) -> None:
    started.signal(signal.SIGSTOP)
    assert started.stop(grace=0.1) == -signal.SIGKILL


def test_a_server_that_cannot_start_says_why(root: Path, tmp_path: Path) -> None:
    (root / "gunicorn.conf.py").write_text("raise SystemExit('the settings contradict themselves')")
    gateway = Gateway(tmp_path / "run", {}, root)
    with pytest.raises(RuntimeError, match="the settings contradict themselves"):
        gateway.start()
    gateway.launch()
    assert gateway.wait() == 1


def test_a_server_that_never_becomes_ready_is_given_up(root: Path, tmp_path: Path) -> None:
    (root / "gunicorn.conf.py").write_text("import time\ntime.sleep(60)")
    gateway = Gateway(tmp_path / "run", {}, root)
    with pytest.raises(RuntimeError, match="did not become ready"):
        gateway.start(timeout=0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(gateway.pid, 0)


def test_the_factory_prepares_settings_and_files(tmp_path: Path, upstream: Upstream) -> None:
    gateways = Gateways(tmp_path)
    first = gateways.prepare(upstream, models="[defaults]\n", OPENAI_API_KEY="sk-other")
    second = gateways.prepare()
    assert Path(first.settings["MODELS_FILE"]).read_text() == "[defaults]\n"
    assert first.settings["OPENAI_BASE_URL"] == f"{upstream.url}/v1"
    assert first.settings["ANTHROPIC_BASE_URL"] == upstream.url
    assert first.settings["OPENAI_API_KEY"] == "sk-other"
    assert not set(vendors(upstream)) & set(second.settings)
    assert first.directory != second.directory
    gateways.stop()
    with pytest.raises(RuntimeError, match="was not started"):
        second.wait()


def test_a_failing_test_shows_what_its_gateway_wrote(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(
        "from tests.conftest import *  # noqa: F403\n"
        "def test_sample(gateway):\n"
        "    made = gateway.prepare()\n"
        "    (made.directory / 'stderr.log').write_text('the last words')\n"
        "    assert made is None\n"
    )
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": os.environ["PATH"]}
    shown = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert shown.returncode == 1
    assert "gateway gateway-0" in shown.stdout
    assert "the last words" in shown.stdout
