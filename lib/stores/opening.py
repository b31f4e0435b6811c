"""From DATABASE_URL to a database, from REDIS_URL to counters. One scheme a store: adding one is one row here."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from lib.stores.database import Database
from lib.stores.postgresql import PostgresDatabase
from lib.stores.sqlite import SqliteDatabase
from lib.stores.windows import Counters

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql+psycopg://", "postgresql://", "postgres://")


def open_database(url: str, timeout: float) -> Database:
    """The database at `url`: `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql+psycopg://...`.

    `timeout` is in seconds, for each transaction. Connects when it is first used. Raises ValueError, which
    shows nothing of the URL, as it may hold a password.
    """
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE) and "?" not in url:
        return SqliteDatabase(Path(url.removeprefix(_SQLITE)), timeout)
    for scheme in _POSTGRES:
        if url.startswith(scheme) and (urlsplit(url).hostname or url.startswith(f"{scheme}/")):
            return PostgresDatabase("postgresql://" + url.removeprefix(scheme), timeout)
    raise ValueError("must be sqlite:///<path> or postgresql+psycopg://<user>:<password>@<host>/<database>")


def counters_path(url: str) -> Path:
    """Where the counters of this machine are when there is no Redis: beside a database file, else in `var`."""
    return Path(url.removeprefix(_SQLITE)).with_name("rates.db") if url.startswith(_SQLITE) else Path("var/rates.db")


def migration_url(url: str) -> str:
    """The same database as SQLAlchemy spells it, with the driver that is installed."""
    for scheme in _POSTGRES:
        if url.startswith(scheme):
            return _POSTGRES[0] + url.removeprefix(scheme)
    return url


def open_counters(redis_url: str | None, path: Path, timeout: float) -> Counters:
    """The counters in Redis when there is a URL, else those in the file at `path`. `timeout` is in seconds.

    Connects when first used. Raises ValueError for a URL that cannot be read.
    """
    if redis_url:
        from lib.stores.redis import RedisCounters  # noqa: PLC0415  a server without Redis never loads it

        return RedisCounters(redis_url, timeout)
    from lib.stores.counters import SqliteCounters  # noqa: PLC0415

    return SqliteCounters(path, timeout)
