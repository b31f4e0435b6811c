"""Make, show, rotate and revoke managed keys: `bin/keys`.

Exit status: 0 when done, 1 when there is no such key or the database cannot be used, 2 for a wrong argument.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lib.access import DEFAULT_OVERLAP, FAMILIES, SCOPES, ManagedKeys
from lib.base import SettingsError
from lib.base.errors import AIProxyError, BadRequest, StoreUnavailable
from lib.cli.database import prepare
from lib.cli.ending import leave
from lib.cli.key_tables import shown_key, shown_keys
from lib.cli.reading import read_settings
from lib.wiring import build_database, build_managed_keys

FAILED, USAGE = 1, 2
OPTIONS = {
    "name": "NAME",
    "budgets": "--budget",
    "rpm": "--rpm",
    "tpm": "--tpm",
    "models": "--models",
    "scopes": "--scopes",
    "allow_ips": "--allow-ip",
    "expires": "--expires",
    "tags": "--tag",
    "overlap": "--overlap",
}
"""How each field of a key is written on the command line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line; the exit status."""
    given = _parser().parse_args(argv)
    try:
        settings = read_settings("DATABASE_URL", "DATABASE_PASSWORD", "KEY_SECRET")
        database = build_database(settings)
        try:
            prepare(settings, database)
            print(_COMMANDS[given.command](build_managed_keys(settings, database), given))
        finally:
            database.close()
    except BadRequest as error:
        field = error.param or ""
        message = error.message.removeprefix(f"`{field}` ")
        return _fail(f"{OPTIONS.get(field, field)}: {message}", USAGE)
    except StoreUnavailable as error:
        return _fail(f"the database cannot be used: {error.detail}", FAILED)
    except AIProxyError as error:
        return _fail(error.message, FAILED)
    except (SettingsError, ValueError) as error:
        return _fail(str(error), FAILED)
    return 0


def _create(keys: ManagedKeys, given: argparse.Namespace) -> str:
    fields = {
        "name": given.name,
        "budgets": given.budget,
        "rpm": given.rpm,
        "tpm": given.tpm,
        "models": _split(given.models),
        "scopes": _split(given.scopes),
        "allow_ips": _split(given.allow_ip),
        "expires": given.expires,
        "tags": _tags(given.tag),
    }
    return _text(keys.create(fields).shown(), given, shown_key)


def _list(keys: ManagedKeys, given: argparse.Namespace) -> str:
    return _text([key.shown() for key in keys.list_all()], given, shown_keys)


def _show(keys: ManagedKeys, given: argparse.Namespace) -> str:
    return _text(keys.show(given.name).shown(), given, shown_key)


def _rotate(keys: ManagedKeys, given: argparse.Namespace) -> str:
    return _text(keys.rotate(given.name, given.overlap).shown(), given, shown_key)


def _revoke(keys: ManagedKeys, given: argparse.Namespace) -> str:
    return _text(keys.revoke(given.name).shown(), given, shown_key)


_COMMANDS: dict[str, Callable[[ManagedKeys, argparse.Namespace], str]] = {
    "create": _create,
    "list": _list,
    "show": _show,
    "rotate": _rotate,
    "revoke": _revoke,
}


def _text(value: Any, given: argparse.Namespace, table: Callable[[Any], str]) -> str:
    return json.dumps(value, indent=2) if given.json else table(value)


def _split(words: list[str] | None) -> list[str] | None:
    """Words of repeated options; each may hold several, comma-separated."""
    return None if words is None else [part.strip() for word in words for part in word.split(",")]


def _tags(words: list[str] | None) -> dict[str, str] | None:
    if words is None:
        return None
    tags: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name in tags:
            raise BadRequest("must be a name and its value, such as team=search, each name once.", param="tags")
        tags[name] = value
    return tags


def _fail(message: str, status: int) -> int:
    for line in message.splitlines():
        print(f"bin/keys: {line}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/keys", description="Make, show, rotate and revoke managed keys.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_create(_command(commands, "create", "Make a key and print it, this once."))
    _command(commands, "list", "List every key, expired and revoked ones too.", name=False)
    _command(commands, "show", "Show one key.")
    rotate = _command(commands, "rotate", "Make a new key in the place of an old one and print it, this once.")
    rotate.add_argument(
        "--overlap",
        default=DEFAULT_OVERLAP,
        help="how long the old key is good for: 30m, 24h (the default), 7d, 30d at most, or 0",
    )
    _command(commands, "revoke", "End a key, and the one before it, within 5 seconds.")
    return parser


def _command(commands: Any, command: str, about: str, *, name: bool = True) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(command, help=about, description=about, allow_abbrev=False)
    if name:
        made.add_argument("name", metavar="NAME", help="letters, digits, spaces and ._@/-")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def _add_create(create: argparse.ArgumentParser) -> None:
    add = create.add_argument
    add("--budget", action="append", metavar="USD/PERIOD", help="50/month, 2.50/day, /week or /total; once a period")
    add("--rpm", metavar="N", help="requests a minute")
    add("--tpm", metavar="N", help="tokens a minute")
    add("--models", action="append", metavar="PATTERN", help="models that may be asked for: gpt-4o*, bedrock/*")
    families = ", ".join(sorted(FAMILIES))
    admin = ", ".join(sorted(SCOPES - FAMILIES))
    add("--scopes", action="append", metavar="S", help=f"some of {families} (by default all of them) and {admin}")
    add("--allow-ip", action="append", metavar="CIDR", help="addresses it may be used from; everywhere by default")
    add("--expires", metavar="DATE", help="2027-01-31 (its beginning, in UTC) or 2027-01-31T12:00:00Z")
    add("--tag", action="append", metavar="K=V", help="kept with every call in the ledger")


if __name__ == "__main__":
    leave(main)
