"""A real PostgreSQL on a free loopback port, in a folder of its own and without care for power cuts."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.servers.certificates import Certificate
from tests.servers.program import START_SECONDS, Program, missing
from tests.upstream.ports import LOOPBACK, free_ports

USER = "aiproxy"
DEBIAN = Path("/usr/lib/postgresql")
UNPRIVILEGED = ("postgres", "nobody")
CONNECT_SECONDS = 5
CAREFUL = "careful"  # members of this role need a password
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
    "listen_addresses": LOOPBACK,
}


class Postgres(Program):
    """One server with as many empty databases as tests ask for. Its folder goes with `stop`.

    With a certificate it speaks TLS to those who ask for it.
    """

    def __init__(self, certificate: Certificate | None = None) -> None:
        self._programs = _programs()
        self._numbers = count(1)
        self._directory = Path(tempfile.mkdtemp(prefix="aiproxy-postgresql-"))
        self.port = free_ports(1)[0]
        self.url = self.url_of("postgres")
        wanted = FAST | (self._tls(certificate) if certificate else {})
        settings = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *settings]
        super().__init__(command, self._directory / "postgresql.log", self._answers, **self._identity())

    def start(self, timeout: float = START_SECONDS) -> None:
        """Make the folder when it is not there, start, and wait until it answers."""
        if not self._data.exists():
            self._initialise()
        super().start(timeout)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End every session, then the server, and remove the folder."""
        super().stop(number)
        shutil.rmtree(self._directory, ignore_errors=True)

    def new_database(self, name: str | None = None) -> str:
        """The URL of a new and empty database."""
        name = name or f"test_{next(self._numbers)}"
        self.command(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def url_of(self, database: str, user: str = USER) -> str:
        """The URL of one database, as DATABASE_URL takes it."""
        return f"postgresql+psycopg://{user}@{LOOPBACK}:{self.port}/{database}"

    def command(self, sql: str) -> list[tuple[Any, ...]]:
        """Carry out one statement; the rows that it gives."""
        with psycopg.connect(_plain(self.url), autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
            found = connection.execute(sql)  # type: ignore[call-overload]  of our own
            return found.fetchall() if found.description else []

    def new_user(self, password: str) -> str:
        """The name of a new user who needs a password and may make databases."""
        name = f"user_{next(self._numbers)}"
        self.command(f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD '{password}' IN ROLE {self._careful()}")
        return name

    def _careful(self) -> str:
        with suppress(psycopg.errors.DuplicateObject):
            self.command(f"CREATE ROLE {CAREFUL}")
        return CAREFUL

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _initialise(self) -> None:
        command = [self._programs / "initdb", "-D", self._data, "-U", USER, "--auth=trust", "--no-sync"]
        result = subprocess.run(
            [*command, "--encoding=UTF8", "--locale=C"], capture_output=True, check=False, text=True, **self._identity()
        )
        if result.returncode:
            raise RuntimeError(f"initdb failed\n{result.stdout}{result.stderr}")
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all +{CAREFUL} all scram-sha-256\n{rules.read_text()}")

    def _tls(self, certificate: Certificate) -> dict[str, str]:
        """Its settings. It takes only a key that is its own."""
        files = [Path(shutil.copy(file, self._directory)) for file in certificate]
        if os.geteuid() == 0:
            user = _unprivileged()
            for file in files:
                os.chown(file, user.pw_uid, user.pw_gid)
        return {"ssl": "on", "ssl_cert_file": str(files[0]), "ssl_key_file": str(files[1])}

    def _identity(self) -> dict[str, Any]:
        """Who runs it: PostgreSQL refuses root."""
        if os.geteuid() != 0:
            return {"cwd": self._directory}
        user = _unprivileged()
        os.chown(self._directory, user.pw_uid, user.pw_gid)
        return {"cwd": self._directory, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(_plain(self.url), connect_timeout=CONNECT_SECONDS).close()
            return True
        return False


def _programs() -> Path:
    """Where `initdb` and `postgres` are: Debian keeps them out of PATH, by version."""
    found = sorted(DEBIAN.glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    program = shutil.which("postgres") or missing("postgres", "postgresql")
    return Path(program).resolve().parent


def _unprivileged() -> pwd.struct_passwd:
    for name in UNPRIVILEGED:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL refuses root, and there is no other user to run it")


def _plain(url: str) -> str:
    """The URL as psycopg itself takes it."""
    return url.replace("+psycopg", "", 1)
