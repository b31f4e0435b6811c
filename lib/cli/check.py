"""Show the effective settings, the providers and the models, and say what is wrong: `bin/run.sh --check`.

Secrets are masked. Exit status: 0 when the server would start, 1 when something is wrong, with one line
for each fault on standard error, 2 for unknown arguments.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dotenv import dotenv_values
from pydantic import SecretStr

from lib.base import (
    VENDOR_SETTINGS,
    ModelRow,
    ModelsFile,
    Settings,
    SettingsError,
    Sources,
    Target,
    load,
    load_models,
    read_sources,
    setting_names,
)
from lib.base.errors import NotServed, UnknownModel
from lib.cli.ending import leave
from lib.cli.text_table import aligned
from lib.gateway import Chooser
from lib.net import pull
from lib.wire import PATHS
from lib.wiring import Services, build_services

CONFIG_FILE = "config.txt"
MASK = "********"
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_USER_INFO = re.compile(r"//[^/@\s]*@")


class Row(NamedTuple):
    """One line of a table."""

    name: str
    value: str
    source: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; the exit status."""
    argparse.ArgumentParser(
        prog="bin/run.sh --check",
        description="Print the effective settings, secrets masked, with the providers and models that follow from "
        "them. The exit status is 1 when something is wrong; the faults are on standard error.",
    ).parse_args(argv)
    faults = _report(os.environ, CONFIG_FILE)
    for fault in faults:
        print(f"wrong: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _report(environ: Mapping[str, str], config_file: str) -> list[str]:
    """Print what can be shown; the faults that were met."""
    faults: list[str] = []
    try:
        pulled = pull(environ=environ, config_file=config_file)
        faults += pulled.faults
        settings = load(environ, config_file, pulled.values, serves=not faults)
        _show("Settings", setting_rows(settings, read_sources(environ, config_file, pulled.values)))
        to_come = [f"{name} is unset until its secret has a value" for name in pulled.to_come]
        _show("Notes", [Row(note, "") for note in [*notes(settings, config_file), *to_come]])
        models = load_models(settings.models_file)
        services = build_services(settings, models)
    except SettingsError as error:
        return faults + str(error).splitlines()
    _show("Providers", provider_rows(services))
    _show("Models", model_rows(models, services.gateway.chooser))
    return faults + default_model_faults(services.gateway.chooser)


def setting_rows(settings: Settings, sources: Sources) -> list[Row]:
    """Every setting with its value and where it comes from, then the vendors' keys and addresses that are set."""
    rows = [Row(name, shown(getattr(settings, name.lower())), sources.of(name)) for name in setting_names()]
    others = sorted(settings.vendor_values.keys() - set(setting_names()))
    return rows + [Row(name, _vendor_value(settings, name), sources.of(name)) for name in others]


def shown(value: object) -> str:
    """A setting's value as it may be shown: secrets masked, `-` for what is not set."""
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return ", ".join(shown(item) for item in value) or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    return "-" if value is None else _USER_INFO.sub(f"//{MASK}@", str(value))


def notes(settings: Settings, config_file: str) -> Iterable[str]:
    """What is not wrong but worth a look."""
    for name, value in dotenv_values(config_file).items():
        if value is None or not _NAME.fullmatch(name):  # it may be a secret on a line of its own: not shown
            yield "config.txt: a line that is not NAME=value is ignored"
        elif name not in setting_names() and not name.endswith(VENDOR_SETTINGS):
            yield f"config.txt: the gateway has no setting {name}"
    if settings.open_here:
        yield "AIPROXY_API_KEY is not set: anyone on this machine may call"
    elif not settings.aiproxy_api_key and not settings.loopback_only:
        yield "AIPROXY_API_KEY is not set: each start makes a key of its own"
    if settings.mock_model_responses:
        yield "MOCK_MODEL_RESPONSES is on: every model answers from the built-in echo"


def provider_rows(services: Services) -> list[Row]:
    """Every provider, with what it lacks."""
    rows = [Row(name, "available") for name in services.catalog.available]
    return rows + [Row(name, f"not available: {why}") for name, why in services.catalog.missing.items()]


def model_rows(models: ModelsFile, chooser: Chooser) -> list[Row]:
    """Every name that is listed to callers, with where it leads; then the default model."""
    rows = [Row(name, _leads_to(name, models.models.get(name), chooser)) for name in chooser.names()]
    return [*rows, Row("(when none is named)", chooser.default_model or "refused: a request must name its model")]


def default_model_faults(chooser: Chooser) -> list[str]:
    """A default model that no call can reach."""
    name = chooser.default_model
    why = _unreachable(name, chooser) if name else None
    return [f"defaults.model: {name} is not available: {why}"] if why else []


def _leads_to(name: str, row: ModelRow | None, chooser: Chooser) -> str:
    why = _unreachable(name, chooser)
    if why:
        return f"not available: {why}"
    if row is None:
        return "built in"
    targets = [
        f"{target.model} ({target.weight:g})" if isinstance(target, Target) else target for target in row.targets
    ]
    return ", then ".join([" or ".join(targets), *row.fallbacks])


def _unreachable(name: str, chooser: Chooser) -> str | None:
    """Why no path reaches a model; None when one does."""
    for path in PATHS:
        try:
            chooser.places(name, path)
        except NotServed:
            continue
        except UnknownModel as error:
            return error.detail or error.message
        return None
    return "no path serves it"


def _vendor_value(settings: Settings, name: str) -> str:
    return shown(settings.vendor_value(name)) if name.endswith("_URL") else MASK


def _show(title: str, rows: Sequence[Row]) -> None:
    """Print a table with its columns aligned; nothing when it has no rows."""
    if not rows:
        return
    print(title, *(f"  {line}" for line in aligned(rows)), "", sep="\n")


if __name__ == "__main__":
    leave(main)
