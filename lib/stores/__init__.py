"""Floor 1: where things are kept."""

from lib.stores.accounts import CALL_COLUMNS, Accounts, Line, Overdrawn, Reservation, Standing
from lib.stores.database import Database, Row, Session, Sql
from lib.stores.migrate import HEAD, fault, migrate, version
from lib.stores.opening import migration_url, open_database

__all__ = [
    "CALL_COLUMNS",
    "HEAD",
    "Accounts",
    "Database",
    "Line",
    "Overdrawn",
    "Reservation",
    "Row",
    "Session",
    "Sql",
    "Standing",
    "fault",
    "migrate",
    "migration_url",
    "open_database",
    "version",
]
