"""Floor 1: where things are kept."""

from lib.stores.accounts import CALL_COLUMNS, LOST, Accounts, Line, Overdrawn, Reservation, Standing
from lib.stores.calls import GROUPS, ROW_COLUMNS, SUM_COLUMNS, Calls, Selection
from lib.stores.database import Database, Row, Session, Sql
from lib.stores.migrate import HEAD, fault, migrate, version
from lib.stores.opening import migration_url, open_database

__all__ = [
    "CALL_COLUMNS",
    "GROUPS",
    "HEAD",
    "LOST",
    "ROW_COLUMNS",
    "SUM_COLUMNS",
    "Accounts",
    "Calls",
    "Database",
    "Line",
    "Overdrawn",
    "Reservation",
    "Row",
    "Selection",
    "Session",
    "Sql",
    "Standing",
    "fault",
    "migrate",
    "migration_url",
    "open_database",
    "version",
]
