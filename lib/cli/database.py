"""The database, made ready for a command."""

from __future__ import annotations

from lib.base import Settings, SettingsError
from lib.stores import HEAD, Database, fault, migrate, version


def prepare(settings: Settings, database: Database) -> None:
    """SQLite gets its tables by itself. Raises `SettingsError` when another database has other tables."""
    if database.kind == "sqlite" and (version(database) or "") < HEAD:
        database.close()
        migrate(settings.database_url.get_secret_value())
    if wrong := fault(database):
        raise SettingsError(f"DATABASE_URL: {wrong}")
