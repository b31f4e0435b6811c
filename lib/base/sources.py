"""Where the values of settings come from, before anything is made of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from dotenv import dotenv_values

NOTHING: Mapping[str, str] = {}


class Sources(NamedTuple):
    """The environment goes before config.txt, and config.txt before what Secrets Manager held. No value is empty."""

    environ: Mapping[str, str]
    file: Mapping[str, str]
    secrets: Mapping[str, str] = NOTHING

    def merged(self) -> dict[str, str]:
        """Every value by its name."""
        return {**self.secrets, **self.file, **self.environ}

    def of(self, name: str) -> str:
        """In words, where the value of a setting is from."""
        named = (("environment", self.environ), ("config.txt", self.file), ("Secrets Manager", self.secrets))
        return next((word for word, values in named if name in values), "default")


def read_sources(
    environ: Mapping[str, str] | None = None,
    config_file: str | os.PathLike[str] = "config.txt",
    secrets: Mapping[str, str] = NOTHING,
) -> Sources:
    """Read the environment (the process's own by default), and `config_file` if there is one."""
    return Sources(_filled(os.environ if environ is None else environ), _filled(dotenv_values(config_file)), secrets)


def _filled(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def with_password(url: str, password: str) -> str:
    """A store's address with this password, unless it holds one, or is a file's."""
    scheme, found, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, _, host = authority.rpartition("@")
    if not found or scheme.startswith("sqlite") or ":" in user:
        return url
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}{slash}{path}"
