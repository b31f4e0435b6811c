"""How the application runs under gunicorn: its configuration, its hooks, its first words on the terminal.

The master reads settings, secrets and models file first, and hands what it read to the workers it forks. On SIGHUP
it reads again and tells its workers to. What is wrong at the start ends it with a list; what is wrong later is
logged, and the old stays.
"""

from __future__ import annotations

import gc
import os
import resource
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask

from lib.access import load_access
from lib.base import LOCALHOST, ModelsFile, Settings, SettingsError, load, load_models
from lib.base.errors import StoreUnavailable
from lib.net import HttpClient, Pulled, pull
from lib.providers import build_catalog
from lib.telemetry import (
    EmbeddedMetrics,
    ServerCounts,
    add_secrets,
    child_exit,
    get_logger,
    prepare_multiprocess_dir,
    serve_metrics,
)
from lib.wiring import build_services, configure_telemetry, renew_reports
from src import create_app, database, renew
from src.context import EXTENSION
from src.refresh import Refresher
from src.vault import Vault

log = get_logger("aiproxy.server")
LAST_SECONDS = 6  # between the end of the grace and the master's SIGKILL
KEY_PREFIX = "aip-run-"  # of a key that lives as long as the server
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  gunicorn's heartbeat files must not wait for a disk
_good: tuple[Settings, ModelsFile] | None = None
_vault: Vault | None = None
_counts = ServerCounts()


def configuration() -> dict[str, Any]:
    """Gunicorn's settings. Ends the process with exit status 2 when ours are wrong."""
    global _good, _vault  # noqa: PLW0603  gunicorn calls back without any object of ours
    try:
        pulled = _pulled()
        _vault = Vault(pulled.values)
        _make_key_for_this_run(_vault.values())
        _good = _read(_vault.values())
        configure_telemetry(_good[0])
        _tell_of(pulled.to_come)
        database.prepare(_good[0])
    except SettingsError as error:
        _refuse(error)
    settings = _good[0]
    prepare_multiprocess_dir()
    return {
        "wsgi_app": "src.server:application()",
        "worker_class": "src.worker.Worker",
        "bind": f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}",
        "workers": settings.web_concurrency,
        "worker_connections": settings.worker_connections,
        "graceful_timeout": ceil(settings.drain_seconds + settings.graceful_timeout_seconds) + LAST_SECONDS,
        "forwarder_headers": "",
        "timeout": 60,
        "keepalive": settings.keepalive_seconds,
        "backlog": 4096,
        "http_parser": "auto",
        "control_socket_disable": True,
        "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
        "logger_class": "lib.telemetry.gunicorn_logger.GunicornLogger",
        "when_ready": _when_ready,
        "post_fork": _post_fork,
        "child_exit": _child_exit,
        "worker_exit": _worker_exit,
    }


def application() -> Flask:
    """The application of a worker, from what the master read."""
    if _good is None:
        return create_app()
    settings, models = _good
    return create_app(settings, build_services(settings, models))


def reread(app: Flask) -> None:
    """In a worker, on SIGHUP: go over to what the files say now. What is wrong is logged, and the old stays."""
    before: Settings = app.extensions[EXTENSION].settings
    try:
        settings, models = _read(_vault.values() if _vault else {})
        _renew_reports(before, settings)
        renew(app, settings, models)
    except SettingsError as error:
        log.error("reload refused: the old settings stay", detail=str(error))
        return
    add_secrets(settings.secret_values())
    log.info("reloaded")


def _pulled() -> Pulled:
    """What Secrets Manager holds for the settings. Raises `SettingsError` unless it is all there."""
    load(serves=False)  # first what else is wrong: a misspelt name would be asked for
    pulled = pull()
    if pulled.faults:
        raise SettingsError("\n".join(pulled.faults))
    return pulled


def _tell_of(to_come: Sequence[str]) -> None:
    """The settings that are unset only for now."""
    _counts.secrets_to_come = len(to_come)
    if to_come:
        log.warning("secrets have no value yet: they are unset until they have one", names=to_come)


def _read(secrets: Mapping[str, str]) -> tuple[Settings, ModelsFile]:
    """The settings and the models file, both sound. Raises `SettingsError`."""
    settings = load(secrets=secrets)
    if _would_be_open_to_others(settings):
        raise SettingsError(f"AIPROXY_API_KEY must be set: {settings.host} can be reached from elsewhere")
    models = load_models(settings.models_file)
    build_catalog(models, settings, HttpClient())
    load_access(settings.access_file)
    return settings, models


def _would_be_open_to_others(settings: Settings) -> bool:
    return not settings.aiproxy_api_key and not settings.loopback_only


def _renew_reports(before: Settings, settings: Settings) -> None:
    """Errors go where the settings of today say. Raises `SettingsError`."""
    fields = ("honeybadger_api_key", "honeybadger_endpoint")
    if any(getattr(before, field) != getattr(settings, field) for field in fields):
        renew_reports(settings)


def _make_key_for_this_run(known: Mapping[str, str]) -> None:
    """A development server that others can reach, and that was given no key, gets one in its environment."""
    settings = load(secrets=known)
    if settings.environment_type == "development" and _would_be_open_to_others(settings):
        os.environ["AIPROXY_API_KEY"] = KEY_PREFIX + secrets.token_urlsafe(24)


def _hang_up(server: Any, vault: Vault, refresher: Refresher | None) -> None:
    """SIGHUP: read again, then let every worker do so. Gunicorn's own way would start new workers and wait,
    deaf to every other signal, until the last stream of the old ones has ended."""
    global _good  # noqa: PLW0603  as above
    assert _good is not None
    new = refresher.take() if refresher else None
    known = vault.values() if new is None else new
    try:
        read = _read(known)
        _renew_reports(_good[0], read[0])
    except SettingsError as error:
        log.error("reload refused: the old settings stay", detail=str(error))
        if refresher and new is not None:
            refresher.failed("they do not fit the other settings")
        return
    _good = read
    vault.keep(known)
    add_secrets(read[0].secret_values())
    for pid in list(server.WORKERS):
        os.kill(pid, signal.SIGHUP)
    if refresher and new is None:
        refresher.wake()


def _refuse(error: SettingsError) -> NoReturn:
    _say("aiproxy: cannot start:", *(f"  {line}" for line in str(error).splitlines()))
    sys.exit(2)


def _say(*lines: str) -> None:
    """To whoever started the server; the log goes to standard output."""
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def _when_ready(server: Any) -> None:
    """Serve the metrics, and say where the service is, with a call that can be pasted."""
    assert _good is not None
    assert _vault is not None
    settings = _good[0]
    serve_metrics(settings.host, settings.metrics_port, _counts)
    if settings.cloudwatch_metrics_seconds:
        embedded = EmbeddedMetrics(settings.dns_record, _counts)
        embedded.start(settings.cloudwatch_metrics_seconds)
        server.cfg.set("on_exit", lambda _server: embedded.write())  # what happened since the last line
    refresher = None if settings.dns_record == LOCALHOST else Refresher(_vault, _counts)
    if refresher:
        refresher.start(settings.secrets_refresh_seconds)
    server.handle_hup = partial(_hang_up, server, _vault, refresher)
    gc.collect()
    gc.freeze()  # what the workers share with the master stays shared: their collectors do not touch it
    if settings.environment_type == "development":  # elsewhere nobody pastes, and each line of the log is JSON
        _say(*_welcome(settings, server.LISTENERS[0].getsockname()[1]))


def _welcome(settings: Settings, port: int) -> Iterator[str]:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    made = os.environ.get("AIPROXY_API_KEY", "").startswith(KEY_PREFIX)
    header = ""
    yield f"AI Proxy listens on {url}  (documents: {url}/docs)"
    if made:
        key = os.environ["AIPROXY_API_KEY"]
        header = f" -H 'Authorization: Bearer {key}'"
        yield f"A key for this run, because {settings.host} can be reached from elsewhere: {key}"
    elif not settings.open_here:
        header = ' -H "Authorization: Bearer $AIPROXY_API_KEY"'
    else:
        yield "OPEN: no AIPROXY_API_KEY is set, so anyone on this machine may call. Not for production."
    body = '{"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}'
    yield f"\n  curl {url}/v1/chat/completions -H 'Content-Type: application/json'{header} -d '{body}'\n"


def _post_fork(_server: Any, _worker: Any) -> None:
    """As many descriptors as allowed. And a worker that is told to stop before it has signal handlers of its own
    just ends: it serves nobody yet. With the master's, which it was born with, it would go on to serve."""
    _most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a stream needs two descriptors
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # kept until it can act on it


def _worker_exit(_server: Any, worker: Any) -> None:
    """In a worker that ends by itself: nothing of the books is left to others."""
    if worker.wsgi is not None:
        with suppress(StoreUnavailable):
            worker.wsgi.extensions[EXTENSION].books.leave()


def _child_exit(_server: Any, worker: Any) -> None:
    child_exit(worker.pid)
