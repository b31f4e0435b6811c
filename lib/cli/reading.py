"""The settings, as a command needs them."""

from __future__ import annotations

from lib.base import Settings, SettingsError, load
from lib.net import pull


def read_settings(*secrets: str) -> Settings:
    """Read them; of those that are in Secrets Manager only these, or all when none is named. Raises `SettingsError`."""
    pulled = pull(secrets or None)
    if pulled.faults:
        raise SettingsError("\n".join(pulled.faults))
    return load(secrets=pulled.values, serves=False)
