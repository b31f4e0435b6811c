"""`python -m lib.cli.migrate --create-database`, on a real PostgreSQL that asks for a password."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from lib.stores import HEAD
from tests.servers import Postgres

ROOT = Path(__file__).parents[3]
PASSWORD = "pass/word@of:the%tests"
_numbers = count()


class Deployed:
    """A database server as a task sees it: its address without a password, and the password."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.user = postgres.new_user(PASSWORD)
        self.database = f"made-By {next(_numbers)}:x"  # a name that must be quoted

    def begin(self, *argv: str, **environ: str) -> subprocess.Popen[str]:
        address = self.postgres.url_of(quote(self.database), self.user)
        known = {"PATH": os.environ["PATH"], "DATABASE_URL": address, "DATABASE_PASSWORD": PASSWORD}
        command = [sys.executable, "-m", "lib.cli.migrate", *argv]
        return subprocess.Popen(
            command, cwd=ROOT, env=known | environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *argv: str, **environ: str) -> tuple[int, str]:
        process = self.begin(*argv, **environ)
        said = "".join(process.communicate(timeout=60))
        return process.returncode, said

    def drop(self) -> None:
        self.postgres.command(f'DROP DATABASE IF EXISTS "{self.database}"')


@pytest.fixture
def deployed(postgres: Postgres) -> Iterator[Deployed]:
    made = Deployed(postgres)
    yield made
    made.drop()


def test_the_database_is_made_once_and_gets_its_tables(deployed: Deployed) -> None:
    status, said = deployed.run("--create-database", ENVIRONMENT_TYPE="production")
    assert (status, "the database was made" in said, f"to {HEAD}" in said) == (0, True, True), said
    assert deployed.run("--check") == (0, f"the tables have version {HEAD}, as needed\n")
    status, said = deployed.run("--create-database")
    assert (status, "the database was made" in said) == (0, False), said


def test_without_the_option_it_must_be_there(deployed: Deployed) -> None:
    status, said = deployed.run()
    assert (status, "does not exist" in said) == (3, True), said


def test_several_at_once_make_one(deployed: Deployed) -> None:
    processes = [deployed.begin("--create-database") for _ in range(3)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in processes]
    assert [status for _, status in ended] == [0, 0, 0], ended
    assert deployed.run("--check")[0] == 0


def test_the_password_is_needed_and_not_shown(deployed: Deployed) -> None:
    status, said = deployed.run("--create-database", DATABASE_PASSWORD="another-pass/word")
    assert (status, "password authentication failed" in said) == (3, True), said
    assert "another" not in said


def test_whoever_may_not_make_databases_is_told(deployed: Deployed) -> None:
    deployed.postgres.command(f"ALTER ROLE {deployed.user} NOCREATEDB")
    status, said = deployed.run("--create-database")
    assert (status, "permission denied" in said) == (1, True), said


def test_sqlite_needs_no_making(deployed: Deployed, tmp_path: Path) -> None:
    status, said = deployed.run("--create-database", DATABASE_URL=f"sqlite:///{tmp_path}/a.db", DATABASE_PASSWORD="")
    assert (status, "made" in said) == (0, False), said


def test_checking_and_making_exclude_each_other(deployed: Deployed) -> None:
    assert deployed.run("--check", "--create-database")[0] == 2
