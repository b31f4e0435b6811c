"""The database before the workers start: its tables must be those of this program."""

from __future__ import annotations

import os
import subprocess
import sys

from lib.base import Settings, SettingsError
from lib.base.errors import StoreUnavailable
from lib.stores import HEAD, Database, fault, version
from lib.telemetry import get_logger
from lib.wiring import build_database

log = get_logger("aiproxy.server")
MIGRATE = [sys.executable, "-m", "lib.cli.migrate"]


def prepare(settings: Settings) -> None:
    """SQLite gets its tables by itself. Any other database with older or newer ones is refused, with the command
    that helps; one that is away may come back: the workers wait for it. Leaves no connection open.

    Raises `SettingsError`.
    """
    database = build_database(settings)
    if database.kind == "sqlite":
        _bring_up(settings, database)
    else:
        _check(settings)


def _bring_up(settings: Settings, database: Database) -> None:
    try:
        held = version(database)
        wrong = fault(database)
    except StoreUnavailable as error:
        raise SettingsError(f"DATABASE_URL: {error.detail}") from None
    finally:
        database.close()
    if held is None or held < HEAD:
        done = _run(settings, *MIGRATE)
        wrong = done.stderr.strip() if done.returncode else None
    if wrong:
        raise SettingsError(f"DATABASE_URL: {wrong}")


def _check(settings: Settings) -> None:
    done = _run(settings, *MIGRATE, "--check")
    said = done.stderr.strip()
    if done.returncode == 1:
        raise SettingsError(f"DATABASE_URL: {said}")
    if done.returncode:
        log.error("the database is away: the server is not ready before it is back", detail=said[-500:])


def _run(settings: Settings, *command: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: what is loaded here, before gevent has its way, would block or burden the workers.

    The address is given to it as it was found, wherever that was.
    """
    address = {"DATABASE_URL": settings.database_url.get_secret_value(), "DATABASE_PASSWORD": "none"}
    environ = {**os.environ, **address}
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603  no caller's
