"""Floor 1: where things are kept."""

from lib.stores.accounts import CALL_COLUMNS, LOST, Accounts, Line, Overdrawn, Reservation, Standing
from lib.stores.breaker import Breaker
from lib.stores.calls import GROUPS, ROW_COLUMNS, SUM_COLUMNS, Calls, Selection
from lib.stores.database import Database, Row, Session, Sql
from lib.stores.guarded import Guarded
from lib.stores.keys import KeyRow, KeyStore
from lib.stores.migrate import HEAD, create_database, fault, migrate, version
from lib.stores.opening import counters_path, migration_url, open_counters, open_database
from lib.stores.windows import Answer, Counters, Hit, Window

__all__ = [
    "CALL_COLUMNS",
    "GROUPS",
    "HEAD",
    "LOST",
    "ROW_COLUMNS",
    "SUM_COLUMNS",
    "Accounts",
    "Answer",
    "Breaker",
    "Calls",
    "Counters",
    "Database",
    "Guarded",
    "Hit",
    "KeyRow",
    "KeyStore",
    "Line",
    "Overdrawn",
    "Reservation",
    "Row",
    "Selection",
    "Session",
    "Sql",
    "Standing",
    "Window",
    "counters_path",
    "create_database",
    "fault",
    "migrate",
    "migration_url",
    "open_counters",
    "open_database",
    "version",
]
