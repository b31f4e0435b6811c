"""Floor 1: where things are kept."""

from lib.stores.database import Database, Row, Session, Sql
from lib.stores.migrate import HEAD, fault, migrate, version
from lib.stores.opening import migration_url, open_database

__all__ = [
    "HEAD",
    "Database",
    "Row",
    "Session",
    "Sql",
    "fault",
    "migrate",
    "migration_url",
    "open_database",
    "version",
]
