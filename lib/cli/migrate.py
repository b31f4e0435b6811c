"""Bring the database's tables to the version that this program needs, or to another: `bin/migrate`.

Exit status: 0 when done, 1 when the version is wrong or unknown, 2 for a usage error, 3 when the database cannot
be reached.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from lib.base import Settings, SettingsError
from lib.base.errors import StoreUnavailable
from lib.cli.ending import leave
from lib.cli.reading import read_settings
from lib.stores import HEAD, create_database, fault, migrate, migration_url, open_database, version

WRONG, UNREACHABLE = 1, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="bin/migrate", description=__doc__.partition("\n\n")[0] if __doc__ else None)
    parser.add_argument(
        "version", nargs="?", default="head", help=f"`head` ({HEAD}), a version, or `base` for no tables"
    )
    parser.add_argument("--check", action="store_true", help="change nothing; say what is wrong")
    parser.add_argument(
        "--create-database", action="store_true", help="first make the database in PostgreSQL, if there is none"
    )
    arguments = parser.parse_args(argv)
    if arguments.check and arguments.create_database:
        parser.error("--check changes nothing, so it makes no database")
    try:
        settings = read_settings("DATABASE_URL", "DATABASE_PASSWORD")
        if arguments.check:
            return _check(settings)
        if arguments.create_database:
            create_database(migration_url(settings.database_url.get_secret_value()), print)
        return _migrate(settings, arguments.version)
    except (SettingsError, ValueError) as error:
        print(f"bin/migrate: {error}", file=sys.stderr)
        return WRONG
    except StoreUnavailable as error:
        print(f"bin/migrate: the database cannot be reached: {error.detail}", file=sys.stderr)
        return UNREACHABLE


def _check(settings: Settings) -> int:
    wrong = fault(open_database(settings.database_url.get_secret_value(), settings.store_timeout_seconds))
    print(wrong or f"the tables have version {HEAD}, as needed", file=sys.stderr if wrong else sys.stdout)
    return WRONG if wrong else 0


def _migrate(settings: Settings, target: str) -> int:
    url = settings.database_url.get_secret_value()
    database = open_database(url, settings.store_timeout_seconds)
    version(database)  # makes the folder, and says when the database is away
    database.close()
    migrate(migration_url(url), target, print)
    return 0


if __name__ == "__main__":
    leave(main)
