"""The deployments that `bin/live-test` and `bin/live-client` may talk to, and the key or token for each.

What is said of an environment, such as `test`, is looked up in variables (`TEST_BASE_URL`, `TEST_API_KEY`, ...), then
in its table of `live-test.toml`.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from lib.base import is_this_machine
from lib.cli.live_tokens import TokenError, Tokens

FILE = Path("live-test.toml")
LOCAL = "local"
FIELDS = {
    "url": "BASE_URL",
    "api_key": "API_KEY",
    "key_file": "KEY_FILE",
    "token_url": "TOKEN_URL",
    "client_id": "CLIENT_ID",
    "client_secret": "SECRET",
    "audience": "AUDIENCE",
    "grant_type": "GRANT_TYPE",
}
"""Each field of an environment's table, and how its variable ends."""


_USUAL = frozenset({"DEVELOPMENT_BASE_URL", "TEST_BASE_URL", "STAGING_BASE_URL", "PRODUCTION_BASE_URL"})


class Unusable(Exception):
    """What was asked for cannot be done as it was asked. Names no secret."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One deployment: its name, its address without a slash at the end, and what else is known of it."""

    name: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def host(self) -> str:
        """The address's host name."""
        return urlsplit(self.url).hostname or ""

    @property
    def here(self) -> bool:
        """Whether it is this machine."""
        return is_this_machine(self.host)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where tokens and keys of this user are kept."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache"
    return Path(base) / "aiproxy"


def known(environ: Mapping[str, str], file: Path = FILE) -> list[str]:
    """The names of the environments whose address is known, this machine's first. Raises `Unusable`."""
    named = {*_tables(file), *(end[: -len("_BASE_URL")].lower() for end in environ if end in _USUAL)}
    return [LOCAL, *sorted(named - {LOCAL})]


def find(name: str, url: str | None, environ: Mapping[str, str], file: Path = FILE) -> Environment:
    """The environment of that name; `url` goes before every other address. Raises `Unusable`."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise Unusable("--env must be a word such as local, test or production")
    prefix = name.upper().replace("-", "_")
    told = {
        **_table(name, file),
        **{each: environ[f"{prefix}_{end}"] for each, end in FIELDS.items() if environ.get(f"{prefix}_{end}")},
    }
    address = url or told.get("url") or (f"http://127.0.0.1:{environ.get('PORT') or 5000}" if name == LOCAL else None)
    if not address:
        raise Unusable(f"the address of {name} is not known: give --url, or set {prefix}_BASE_URL or `url` in {FILE}")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise Unusable("the address must be such as https://aiproxy.example.org")
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        raise Unusable("the address must be https:// where it is not this machine: a key travels there")
    return Environment(name, address.rstrip("/"), told)


def credential(
    environment: Environment, key_file: Path | None, environ: Mapping[str, str], *, fresh: bool = False
) -> str | None:
    """The key or token for it; None when nobody knows one. `fresh`: no token that is cached. Raises `Unusable`."""
    told, folder = environment.fields, cache_folder(environ)
    if key_file is not None:
        return read_key(key_file)
    if key := told.get("api_key"):
        return key
    if path := told.get("key_file"):
        return read_key(Path(path).expanduser())
    if told.get("token_url"):
        return _token(environment, folder, fresh=fresh)
    cached = folder / f"{environment.name}.key"
    if cached.exists():
        return read_key(cached)
    local = dotenv_values("config.txt").get("AIPROXY_API_KEY") if environment.here else None
    keys = environ.get("AIPROXY_API_KEY") or local or ""
    return keys.partition(",")[0].strip() or None


def read_key(path: Path) -> str:
    """The key in a file that is its owner's alone. Raises `Unusable`."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Unusable(f"{path} can be read by others: chmod 600 it")
        key = path.read_text().strip()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    if not key or not key.isascii() or not key.isprintable():
        raise Unusable(f"{path} holds no key")
    return key


def keep_key(name: str, key: str, environ: Mapping[str, str]) -> Path:
    """Keep a key for the next time, readable by its owner alone; where it is."""
    folder = cache_folder(environ)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}.key"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{key}\n")
    return path


def _token(environment: Environment, folder: Path, *, fresh: bool) -> str:
    told = environment.fields
    lacking = [FIELDS[name] for name in ("client_id", "client_secret") if not told.get(name)]
    if lacking:
        raise Unusable(f"{environment.name} has a TOKEN_URL, but no {' and no '.join(lacking)}")
    parts = urlsplit(told["token_url"])
    if parts.scheme != "https" and not is_this_machine(parts.hostname or ""):
        raise Unusable("TOKEN_URL must be https://: a secret travels there")
    try:
        return Tokens(folder / f"{environment.name}.token").get(told, fresh=fresh)
    except TokenError as error:
        raise Unusable(f"no token for {environment.name}: {error}") from None


def _table(name: str, file: Path) -> dict[str, str]:
    """What `live-test.toml` says of an environment. Raises `Unusable`."""
    table = _tables(file).get(name, {})
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise Unusable(f"{file}: [{name}] must be a table of texts")
    if unknown := sorted(table.keys() - FIELDS.keys()):
        raise Unusable(f"{file}: [{name}] has no field {', '.join(unknown)}")
    return dict(table)


def _tables(file: Path) -> dict[str, Any]:
    """The tables of `live-test.toml`; none when there is no such file. Raises `Unusable`."""
    try:
        return tomllib.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise Unusable(f"{file} cannot be read as TOML") from None
