"""Which version of the tables a database holds, and how it gets to another.

Looking costs nothing; Alembic and SQLAlchemy are loaded only when something is to be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lib.base.errors import StoreUnavailable
from lib.stores.database import Database, Session, Sql

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"  # the newest of `lib/stores/migrations/versions`; a test compares
_TABLES = {
    "sqlite": Sql("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"),
    "postgresql": Sql("SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('alembic_version')"),
}
_MAINTENANCE = "postgres"  # the database from which others are made
_EXISTS = ("42P04", "23505")  # SQLSTATE: another one was quicker, by a little or by a moment
_VERSION = Sql("SELECT version_num FROM alembic_version")


def version(database: Database) -> str | None:
    """The version of the tables; None when there are none. Raises `StoreUnavailable`."""

    def look(session: Session) -> str | None:
        if not session.rows(_TABLES[database.kind]):
            return None
        found = session.rows(_VERSION)
        return str(found[0][0]) if found else None

    return database.run(look)


def fault(database: Database) -> str | None:
    """What is wrong with the version, and which command helps; None when it is the one of this program."""
    held = version(database)
    if held == HEAD:
        return None
    if held is None:
        return "the database has no tables yet: run bin/migrate"
    if held < HEAD:
        return f"the database has version {held} of the tables and this program needs {HEAD}: run bin/migrate"
    return (
        f"the database has version {held} of the tables, made by a newer program; this one needs {HEAD}: "
        f"start the newer program, or let it run bin/migrate {HEAD}"
    )


def migrate(url: str, target: str = "head", say: Callable[[str], None] | None = None) -> None:
    """Bring the tables of the database at `url` to `target`: `head`, a version, or `base` for none at all.

    Two at a time wait for each other. Raises `StoreUnavailable` when it cannot be reached, ValueError for an
    unknown target.
    """
    from alembic import command  # noqa: PLC0415  see above
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    try:
        with _config(url) as config:
            script = ScriptDirectory.from_config(config)
            held = config.attributes["held"]()
            goal = script.get_current_head() if target == "head" else target
            known = {revision.revision for revision in script.walk_revisions()}
            if goal != "base" and goal not in known:
                raise ValueError(f"there is no version of that name; the newest is {HEAD}")
            if held is not None and held not in known:
                raise ValueError(f"the database has version {held}, which this program does not know")
            if say is not None:
                say(f"from {held or 'base'} to {goal}")
            down = goal == "base" or (held is not None and (goal or "") < held)
            (command.downgrade if down else command.upgrade)(config, goal or "head")
    except DBAPIError as error:
        raise StoreUnavailable(detail=str(error.orig).partition("\n")[0]) from error
    except CommandError as error:
        raise ValueError(str(error)) from error


def create_database(url: str, say: Callable[[str], None]) -> None:
    """Make the PostgreSQL database that `url` names, unless it is there; SQLite needs none of this.

    Two at a time make one. Raises `StoreUnavailable` when the server cannot be reached, ValueError when it does not
    allow this or no database is named.
    """
    from sqlalchemy import create_engine, text  # noqa: PLC0415  see above
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError, OperationalError  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    place = make_url(url)
    if place.get_backend_name() != "postgresql":
        return
    if not place.database:
        raise ValueError("DATABASE_URL names no database")
    engine = create_engine(
        place.set(database=_MAINTENANCE),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"client_encoding": "utf8"},  # else a server in SQL_ASCII gives bytes for text
    )
    try:
        with engine.connect() as connection:
            if connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": place.database}).first():
                return
            name = engine.dialect.identifier_preparer.quote_identifier(place.database)
            connection.execute(text(f"CREATE DATABASE {name}".replace(":", r"\:")))
            say("the database was made")
    except OperationalError as error:
        raise StoreUnavailable(detail=str(error.orig).partition("\n")[0]) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _EXISTS:
            raise ValueError(f"the database could not be made: {str(error.orig).partition(chr(10))[0]}") from error


@contextmanager
def _config(url: str) -> Iterator[Config]:
    """Alembic's configuration, with a connection that holds the lock against other migrations."""
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from sqlalchemy import create_engine, event, text  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    if url.startswith("sqlite"):  # pysqlite's own idea of transactions leaves out what changes tables
        engine = create_engine(url, poolclass=NullPool, connect_args={"isolation_level": None, "timeout": 60})
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        engine = create_engine(url, poolclass=NullPool, connect_args={"client_encoding": "utf8"})
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(7216001)"))  # any number that others do not use
        config.attributes["connection"] = connection
        config.attributes["held"] = lambda: MigrationContext.configure(connection).get_current_revision()
        yield config
