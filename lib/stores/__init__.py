"""Floor 1: where things are kept."""

from lib.stores.accounts import CALL_COLUMNS, Accounts, Line, Overdrawn, Reservation, Standing
from lib.stores.database import Database, Row, Session, Sql
from lib.stores.keys import KeyRow, KeyStore
from lib.stores.migrate import HEAD, fault, migrate, version
from lib.stores.opening import migration_url, open_database
from lib.stores.upkeep import Watch, prepare, prepare_apart

__all__ = [
    "CALL_COLUMNS",
    "HEAD",
    "Accounts",
    "Database",
    "KeyRow",
    "KeyStore",
    "Line",
    "Overdrawn",
    "Reservation",
    "Row",
    "Session",
    "Sql",
    "Standing",
    "Watch",
    "fault",
    "migrate",
    "migration_url",
    "open_database",
    "prepare",
    "prepare_apart",
    "version",
]
