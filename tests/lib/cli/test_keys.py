"""`bin/keys`: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest

from lib.access.key_spec import KeySpec
from lib.cli import keys

KEY = re.compile(r"aip-[A-Za-z0-9_-]{43}")
FIELDS = {"name", "id", "state", *KeySpec.__dataclass_fields__, "created", "expires", "previous_until", "revoked"}


class Cli:
    """The command line in this process: `cli("create", "shop")` gives what it printed, as text or from JSON."""

    def __init__(self, capsys) -> None:
        self._capsys = capsys

    def __call__(self, *argv: str, status: int = 0):
        try:
            ended = keys.main(argv)
        except SystemExit as error:
            ended = error.code
        printed = self._capsys.readouterr()
        assert ended == status, printed.err
        if status:
            assert printed.out == ""
            return printed.err
        return json.loads(printed.out) if "--json" in argv else printed.out


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """In an empty directory, with the settings' defaults: the database is made by the first command."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "KEY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return Cli(capsys)


def test_a_key_from_its_making_to_its_end(cli, tmp_path):
    made = cli("create", "web-shop", "--budget", "50/month", "--rpm", "60", "--json")
    assert list(made)[:2] == ["name", "key"]
    assert set(made) == FIELDS | {"key"}
    assert KEY.fullmatch(made["key"])
    assert (tmp_path / "var" / "aiproxy.db").exists()
    assert cli("show", "web-shop", "--json") == {name: made[name] for name in FIELDS}
    rotated = cli("rotate", "web-shop", "--overlap", "1h", "--json")
    assert rotated["key"] != made["key"]
    assert rotated["previous_until"] is not None
    assert cli("revoke", "web-shop", "--json")["state"] == "revoked"
    assert [key["state"] for key in cli("list", "--json")] == ["revoked"]


def test_every_option(cli):
    made = cli(
        "create", "team/app 1", "--budget", "50/month", "--budget", "0.5/day", "--rpm", "60", "--tpm", "100000",
        "--models", "gpt-4o*, echo", "--models", "bedrock/*", "--scopes", "openai,chat", "--scopes", "admin",
        "--allow-ip", "10.0.0.0/8", "--allow-ip", "2001:db8::/32,192.0.2.1", "--expires", "2090-01-31",
        "--tag", "team=a=b", "--tag", "x=y", "--json",
    )  # fmt: skip
    assert made["budgets"] == ["50/month", "0.50/day"]
    assert (made["rpm"], made["tpm"]) == (60, 100_000)
    assert made["models"] == ["gpt-4o*", "echo", "bedrock/*"]
    assert made["scopes"] == ["admin", "chat", "openai"]
    assert made["allow_ips"] == ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]
    assert made["expires"] == "2090-01-31T00:00:00Z"
    assert made["tags"] == {"team": "a=b", "x": "y"}


def test_tables_for_people(cli):
    assert "bin/keys create" in cli("list")
    made = cli("create", "web-shop", "--budget", "50/month")
    assert KEY.match(made)
    assert "cannot be shown again" in made
    assert re.search(r"^budgets +50/month$", made, re.M)
    head, *rows = cli("list").splitlines()
    assert head.split()[:2] == ["name", "state"]
    assert [row.split()[:2] for row in rows] == [["web-shop", "active"]]
    assert not KEY.search(cli("list") + cli("show", "web-shop") + cli("revoke", "web-shop"))
    assert KEY.match(cli("create", "web-shop"))


def test_the_usual_overlap_is_a_day(cli):
    cli("create", "a")
    assert cli("rotate", "a", "--json")["previous_until"] is not None
    assert cli("rotate", "a", "--overlap", "0", "--json")["previous_until"] is None


@pytest.mark.parametrize("command", ["show", "rotate", "revoke"])
@pytest.mark.parametrize("name", ["nobody", "'; DROP TABLE keys; --", "$(reboot)", "", "x" * 5000])
def test_there_is_no_such_key(cli, command, name):
    assert cli(command, name, status=1) == "bin/keys: There is no key of this name.\n"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--budget", "-5/month"), ("--budget", "NaN/day"), ("--budget", "inf/day"), ("--budget", "1e99/day"),
        ("--budget", "5"), ("--budget", "0/day"), ("--rpm", "-1"), ("--rpm", "zq"), ("--rpm", "9" * 400),
        ("--tpm", "1.5"), ("--models", ""), ("--models", "a b"), ("--scopes", "zqscope"), ("--scopes", ""),
        ("--allow-ip", "10.0.0.0/99"), ("--allow-ip", "zq"), ("--expires", "2001-01-01"), ("--expires", "9999-01-01"),
        ("--expires", "2027-02-30"), ("--expires", "zq"), ("--tag", "zq"), ("--tag", "=x"), ("--tag", "a="),
        ("--tag", "a=\x1b[31m"), ("--rpm", "'; DROP TABLE keys; --"), ("--models", "$(reboot)"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_option(cli, option, value):
    said = cli("create", "shop", f"{option}={value}", status=2)
    assert said.startswith(f"bin/keys: {option}: ")
    assert "zq" not in said
    assert cli("list", "--json") == []


@pytest.mark.parametrize("name", ["", " ", "a\nb", "ключ", "x" * 129, "main", "a//b", "../a", "'; DROP TABLE keys; --"])
def test_a_wrong_name(cli, name):
    assert cli("create", name, status=2).startswith("bin/keys: NAME: ")


def test_a_name_that_is_taken_and_a_tag_twice(cli):
    cli("create", "shop")
    assert "another key" in cli("create", "shop", status=2)
    assert "--tag" in cli("create", "b", "--tag", "a=1", "--tag", "a=2", status=2)
    assert "--overlap" in cli("rotate", "shop", "--overlap", "31d", status=2)


@pytest.mark.parametrize(
    "argv", [[], ["nonsense"], ["create"], ["show"], ["list", "extra"], ["create", "a", "--nonsense"]]
)
def test_wrong_arguments(cli, argv):
    assert "usage:" in cli(*argv, status=2)


def test_help_for_every_command(cli):
    for command in ("create", "list", "show", "rotate", "revoke"):
        assert "--json" in cli(command, "--help")


def test_a_database_that_is_away_or_of_another_version(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://user:zqsecret@127.0.0.1:1/x")
    said = cli("list", status=1)
    assert "the database cannot be used" in said
    assert "zqsecret" not in said
    monkeypatch.setenv("DATABASE_URL", "mysql://user:zqsecret@host/x")
    said = cli("list", status=1)
    assert "DATABASE_URL" in said
    assert "zqsecret" not in said
    monkeypatch.delenv("DATABASE_URL")
    cli("list")
    with sqlite3.connect(tmp_path / "var" / "aiproxy.db") as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    assert "newer program" in cli("list", status=1)


def test_other_databases_are_not_changed_unasked(cli, monkeypatch, postgres):
    monkeypatch.setenv("DATABASE_URL", postgres.new_database())
    assert "bin/migrate" in cli("create", "shop", status=1)
