"""The secret settings and their secrets in AWS Secrets Manager: `python -m lib.cli.secrets`.

With `--names` it prints the names of all secret settings, in lower case, one a line: each is a secret called
<ENVIRONMENT_TYPE>/<DNS_RECORD>/<name>. With `--check` it says which of those that the environment and config.txt do not
hold have a value; no value is asked for. Exit status: 0 when all is as it must be, 1 when a secret has no value or
AWS cannot be asked, 2 for a wrong argument.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from lib.base import SettingsError, load, load_models, read_sources
from lib.cli.ending import leave
from lib.net import SET, declared_secrets, look, wanted

LACKING = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.cli.secrets", description=__doc__.partition("\n\n")[2] if __doc__ else None
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--names", action="store_true", help="print the names of the secret settings")
    what.add_argument("--check", action="store_true", help="say which secrets have a value")
    given = parser.parse_args(argv)
    try:
        return _names() if given.names else _check()
    except SettingsError as error:
        return _fail(str(error))


def _names() -> int:
    for name in declared_secrets(load_models(load(serves=False).models_file)):
        print(name.lower())
    return 0


def _check() -> int:
    load(serves=False)  # what is wrong with the settings is said first
    asking = wanted(read_sources())
    if asking is None:
        return _fail("DNS_RECORD is not set: no secret is read from Secrets Manager")
    answer = look(asking.asked())
    if answer.trouble:
        return _fail(f"AWS Secrets Manager cannot be asked: {answer.trouble}")
    width = max(map(len, asking.settings), default=0)
    for name, state in answer.reasons.items():
        print(f"{name:{width}}  {state}")
    return 0 if all(state == SET for state in answer.reasons.values()) else LACKING


def _fail(message: str) -> int:
    for line in message.splitlines():
        print(f"wrong: {line}", file=sys.stderr)
    return LACKING


if __name__ == "__main__":
    leave(main)
