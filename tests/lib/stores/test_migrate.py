"""The tables' history: up, down, with rows in place, and what a database of another version says."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from lib.base.errors import StoreUnavailable
from lib.stores import HEAD, Accounts, Sql, fault, migrate, migration_url, open_database, version
from tests.databases import prepared
from tests.lib.stores.books import DAY, NOW, held, ledger, reservation, row

VERSIONS = Path(__file__).parents[3] / "lib/stores/migrations/versions"


def test_head_is_the_newest_file():
    names = sorted(path.stem for path in VERSIONS.glob("v[0-9]*.py"))
    assert names[-1].startswith(f"v{HEAD}_")


def test_up_and_down_and_up(url, database):
    assert (version(database), fault(database)) == (HEAD, None)
    migrate(migration_url(url), "base")
    assert version(database) is None
    assert "bin/migrate" in fault(database)
    migrate(migration_url(url))
    assert version(database) == HEAD


def test_migrating_again_keeps_what_is_there(url, database):
    accounts = Accounts(database)
    call = reservation(100, DAY)
    accounts.open(call)
    accounts.close(call, row(call, 40), NOW)
    migrate(migration_url(url))
    assert (len(held(database)), len(ledger(database))) == (1, 1)


@pytest.mark.parametrize(("held_version", "words"), [("0000", "run bin/migrate"), ("9999", "newer program")])
def test_another_version_is_named_with_the_command_that_helps(database, held_version, words):
    database.run(
        lambda session: session.change(Sql("UPDATE alembic_version SET version_num = :v"), {"v": held_version})
    )
    assert held_version in fault(database)
    assert words in fault(database)


def test_an_unknown_target_is_refused(url):
    with pytest.raises(ValueError, match="newest"):
        migrate(migration_url(url), "7")


def test_a_database_of_a_newer_program_is_left_alone(url, database):
    database.run(lambda session: session.change(Sql("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(ValueError, match="does not know"):
        migrate(migration_url(url))
    assert version(database) == "9999"


def test_a_file_that_is_no_database_is_unavailable(tmp_path):
    (tmp_path / "a.db").write_bytes(b"not a database, however long it is" * 100)
    with pytest.raises(StoreUnavailable):
        version(open_database(f"sqlite:///{tmp_path / 'a.db'}", 1.0))


@pytest.mark.parametrize(
    "url", ["", "mysql://h/d", "sqlite://", "sqlite:///", "sqlite:///a.db?mode=ro", "postgresql:d"]
)
def test_an_unusable_address_is_refused_without_being_shown(url):
    with pytest.raises(ValueError, match="must be sqlite") as caught:
        open_database(url, 1.0)
    assert "mysql" not in str(caught.value)


def test_a_database_of_bytes_gives_text_all_the_same(postgres):
    """Encoding SQL_ASCII, as initdb chooses in the C locale."""
    name = "of_bytes"
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0")
    url = prepared(postgres.url_of(name))
    database = open_database(url, 5.0)
    call = reservation(0, DAY, caller="Zoë")
    Accounts(database).open(call)
    Accounts(database).close(call, row(call, 1), NOW)
    assert database.run(lambda session: session.rows(Sql("SELECT caller FROM calls"))) == [("Zoë",)]
    database.close()
