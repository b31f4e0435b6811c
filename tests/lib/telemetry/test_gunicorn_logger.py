"""A real gunicorn whose own lines are ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.lib.telemetry.conftest import ROOT

CONFIG = """
import os
from lib.telemetry import configure_logs
configure_logs("INFO", "json", ["correct-horse-battery"])
bind = "127.0.0.1:0"
worker_class = "gevent"
accesslog = "-"
logger_class = "lib.telemetry.gunicorn_logger.GunicornLogger"

def on_starting(server):
    server.log.warning("the key is %s", "correct-horse-battery")

def post_worker_init(worker):
    os.kill(os.getppid(), 15)
"""
APP = """
def app(environ, start_response):
    start_response("200 OK", [])
    return [b""]
"""
BROKEN = "raise RuntimeError('no app: sk-abcdefgh12345')"


def run(folder: Path, app: str) -> tuple[int, list[dict[str, object]], str]:
    """Gunicorn until it ends; its lines and whatever else it wrote."""
    (folder / "conf.py").write_text(CONFIG)
    (folder / "proxied.py").write_text(app)
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "conf.py", "--pythonpath", f"{ROOT},{folder}", "proxied:app"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_from_start_to_end(tmp_path: Path):
    status, lines, rest = run(tmp_path, APP)
    assert (status, rest) == (0, "")
    assert {line["logger"] for line in lines} == {"gunicorn.error"}
    events = [str(line["event"]) for line in lines]
    assert events[0].startswith("Starting gunicorn")
    assert events[1] == "the key is [redacted]"
    assert any(event.startswith("Booting worker") for event in events)


def test_an_application_that_does_not_load(tmp_path: Path):
    status, lines, _rest = run(tmp_path, BROKEN)
    assert status != 0
    (failure,) = [line for line in lines if "exception" in line]
    assert (failure["level"], failure["event"]) == ("error", "Exception in worker process")
    assert "RuntimeError: no app: [redacted]" in str(failure["exception"])
