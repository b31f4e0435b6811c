"""Why a deployment may not answer: secrets without a value keep its tasks from being started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from lib.cli.live_environments import Environment

CHECK = "lib.cli.secrets"
SECONDS = 60
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


def explain(environment: Environment, environ: Mapping[str, str]) -> str | None:
    """Which secrets of the deployment have a value and which have none, as a table; None when that cannot be asked."""
    if environment.here or not _has_credentials(environ) or find_spec(CHECK) is None:
        return None
    asked = {"ENVIRONMENT_TYPE": environment.name, "DNS_RECORD": environment.host}
    try:
        done = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", CHECK, "--check"],
            env={**environ, **asked},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return (done.stdout + done.stderr).strip() or None


def _has_credentials(environ: Mapping[str, str]) -> bool:
    home = environ.get("HOME")
    return any(environ.get(name) for name in _CREDENTIALS) or bool(home and (Path(home) / ".aws/credentials").exists())
