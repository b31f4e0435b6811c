"""The settings' secrets: which of them Secrets Manager is to be asked for, and what it answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from lib.base import LOCALHOST, ModelsFile, Settings, Sources, load_models, read_sources, secret_settings
from lib.net.secrets_manager import EMPTY, SECONDS, Answer, Asked

CONFIG_FILE = "config.txt"
# Unset, these make another server of it: callers let in or out, keys that end, books elsewhere.
NEVER_TO_COME = {"AIPROXY_API_KEY", "KEY_SECRET", "DATABASE_URL", "DATABASE_PASSWORD", "REDIS_URL", "REDIS_PASSWORD"}
LAST_SECONDS = 15  # for the process that asks, beyond its own time
_ROOT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "lib.net.fetch_secrets")


class Pulled(NamedTuple):
    """Values by the settings' names, and in words what is not as it must be. `to_come` are settings without a value
    of which SECRETS_TO_COME says that they may wait."""

    values: Mapping[str, str]
    faults: tuple[str, ...] = ()
    to_come: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """The secrets to ask for: settings by the secrets' names. Those named in `may_wait` may have no value yet."""

    settings: Mapping[str, str]
    prefix: str
    region: str | None
    endpoint_url: str | None
    may_wait: frozenset[str] = frozenset()

    def asked(self, seconds: float = SECONDS) -> Asked:
        """The question."""
        return Asked(list(self.settings), self.region, self.endpoint_url, seconds)

    def to_come(self, answer: Answer) -> list[str]:
        """The secrets that are there, have no value, and may wait for one."""
        empty = [name for name, reason in answer.reasons.items() if reason == EMPTY]
        return [name for name in empty if self.settings.get(name) in self.may_wait]


def declared_secrets(models: ModelsFile) -> list[str]:
    """All settings that are secret: those of the table, and the vendors' keys that a models file names."""
    return list(dict.fromkeys([*secret_settings(), *models.key_settings()]))


def wanted(sources: Sources, only: Collection[str] | None = None) -> Wanted | None:
    """Those that neither the environment nor config.txt has, among `only` these if given. None without DNS_RECORD.

    Raises `SettingsError` for a bad models file.
    """
    held = sources.merged()
    record = held.get("DNS_RECORD", LOCALHOST)
    if record == LOCALHOST:
        return None
    prefix = f"{held.get('ENVIRONMENT_TYPE', 'development')}/{record}/"
    models = Path(held.get("MODELS_FILE", Settings.model_fields["models_file"].default))
    names = declared_secrets(load_models(models)) if only is None else only
    return Wanted(
        {prefix + name.lower(): name for name in names if name not in held},
        prefix,
        held.get("AWS_REGION"),
        held.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or held.get("AWS_ENDPOINT_URL"),
        frozenset(word.strip().upper() for word in held.get("SECRETS_TO_COME", "").split(",")) - NEVER_TO_COME,
    )


def pull(
    only: Collection[str] | None = None,
    environ: Mapping[str, str] | None = None,
    config_file: str = CONFIG_FILE,
    seconds: float = SECONDS,
    had: Collection[str] = (),
) -> Pulled:
    """Ask Secrets Manager, in a process of its own, for what the settings lack. What was `had` before is not to come:
    it has been emptied. Raises as `wanted`."""
    environ = os.environ if environ is None else environ
    asking = wanted(read_sources(environ, config_file), only)
    if asking is None or not asking.settings:
        return Pulled({})
    asking = asking._replace(may_wait=asking.may_wait - set(had))
    answer = _aside(asking.asked(seconds), environ)
    return Pulled(
        {asking.settings[name]: value for name, value in answer.values.items() if name in asking.settings},
        tuple(_faults(asking, answer)),
        tuple(asking.settings[name] for name in asking.to_come(answer)),
    )


def _faults(asking: Wanted, answer: Answer) -> Iterable[str]:
    where = f"AWS Secrets Manager{f' in {asking.region}' if asking.region else ''}"
    if answer.trouble:
        yield f"{where} cannot be asked for {asking.prefix}*: {answer.trouble}"
        return
    lacking = answer.reasons.keys() - asking.to_come(answer)
    if lacking:
        yield f"{where} lacks secrets; set each of these, or set the word none for one that is not used:"
    for name in asking.settings:
        if name in lacking:
            yield f"{name} ({answer.reasons[name]})"  # no colon: log lines would hide what follows `api_key:`


def _aside(asked: Asked, environ: Mapping[str, str]) -> Answer:
    """What the other process says; its exit status may have been taken by a master that reaps its workers."""
    try:
        done = subprocess.run(  # noqa: S603  nothing of a caller's
            _COMMAND,
            input=msgspec.json.encode(asked),
            capture_output=True,
            env=dict(environ),
            cwd=_ROOT,
            timeout=asked.seconds + LAST_SECONDS,
            check=False,
        )
        return msgspec.json.decode(done.stdout, type=Answer)
    except subprocess.TimeoutExpired:
        return Answer(trouble="the process that asks did not end")
    except (OSError, msgspec.DecodeError):
        return Answer(trouble="the process that asks failed")
