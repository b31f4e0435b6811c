"""What the benchmark starts: the upstream, the gateway of this checkout, nginx. Each is a context manager that
yields when the server answers and ends it when the block is left."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import ROOT, Server, await_answer, free_port, started

CHAT = "/v1/chat/completions"

_MODELS = """\
[providers.openai]
base_url = "{base}"
key = "OPENAI_API_KEY"
prefixes = ["{model}"]
shapes = ["*"]
"""
_NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 8192; }}
http {{
  access_log {folder}/nginx-access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream vendor {{ server 127.0.0.1:{upstream}; keepalive 2048; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://vendor;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A server to measure: its chat completions URL, the root of its process tree when it is known, and the
    seconds from start to ready when it was started here."""

    name: str
    url: str
    pid: int | None = None
    ready_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What all servers of a run share: a folder for their files, the upstream's port, the caller's key and model."""

    folder: Path
    upstream: int
    key: str
    model: str


@contextmanager
def upstream(setting: Setting, *pace: str) -> Iterator[Target]:
    """The vendor; `pace` is handed to it as arguments (see bench/upstream.py)."""
    command = [sys.executable, "-m", "bench.upstream", "--port", str(setting.upstream), *pace]
    with started("upstream", command, setting.folder, {}) as server:
        yield _ready("direct", server, f"http://127.0.0.1:{setting.upstream}", "/v1/models")


@contextmanager
def gateway(setting: Setting) -> Iterator[Target]:
    """The gateway of this checkout under gunicorn with one worker, a key, the log (to a file) and
    the metrics on. Neither the settings of the environment nor config.txt reach it."""
    models = setting.folder / "models.toml"
    models.write_text(_MODELS.format(base=f"http://127.0.0.1:{setting.upstream}/v1", model=setting.model))
    port = free_port()
    settings = {
        "PORT": str(port),
        "METRICS_PORT": str(free_port()),
        "WEB_CONCURRENCY": "1",
        "LOG_FORMAT": "json",
        "MODELS_FILE": str(models),
        "OPENAI_API_KEY": "sk-for-the-upstream",
        "AIPROXY_API_KEY": setting.key,
        "GRACEFUL_TIMEOUT_SECONDS": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    with started("aiproxy", command, setting.folder, settings) as server:
        yield _ready("aiproxy", server, f"http://127.0.0.1:{port}", "/monitoring/ready")


@contextmanager
def nginx(setting: Setting) -> Iterator[Target]:
    """A plain proxy with one worker, its log on and nothing else: what any proxy has to do."""
    port = free_port()
    config = setting.folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=setting.folder, upstream=setting.upstream, port=port))
    command = [shutil.which("nginx") or "nginx", "-p", str(setting.folder), "-c", str(config)]
    with started("nginx", command, setting.folder, {}) as server:
        yield _ready("nginx", server, f"http://127.0.0.1:{port}", "/v1/models")


def _ready(name: str, server: Server, base: str, path: str) -> Target:
    """The target, once a GET of `path` says 200."""
    seconds = await_answer(server, base + path)
    return Target(name, base + CHAT, server.process.pid, seconds)
