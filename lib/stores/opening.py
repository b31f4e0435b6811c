"""From DATABASE_URL to a database. One scheme a store: adding one is one row here."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from lib.stores.database import Database
from lib.stores.postgresql import PostgresDatabase
from lib.stores.sqlite import SqliteDatabase

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


def migration_url(url: str) -> str:
    """The same database as SQLAlchemy spells it, with the driver that is installed."""
    for scheme in _POSTGRES:
        if url.startswith(scheme):
            return _POSTGRES[0] + url.removeprefix(scheme)
    return url
