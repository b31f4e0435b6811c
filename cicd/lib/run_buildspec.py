"""Run the phases of a buildspec file in the current folder, as CodeBuild runs them. Needs PyYAML.

    python3 cicd/lib/run_buildspec.py FILE

Commands of one phase share a shell, so that `cd` and variables carry over; so do those of the next phase in CodeBuild,
which is not imitated. When a phase fails its `finally` is run, and no later phase but post_build after build.
Of the rest of the file only `env.variables` is read: what runs the builds of strangers hands out no secrets.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")


def main(arguments: list[str]) -> int:
    """Exit code 1 when a phase failed, 2 when the file is not a buildspec."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    spec = yaml.safe_load(Path(arguments[0]).read_text())
    phases = spec.get("phases") if isinstance(spec, dict) else None
    if not isinstance(phases, dict) or not set(phases) <= set(PHASES):
        print(f"{arguments[0]} has no phases, or some that are not known here.", file=sys.stderr)
        return 2
    return 0 if run(phases, _variables(spec)) else 1


def run(phases: dict[str, Any], variables: dict[str, str]) -> bool:
    """Whether all phases went well. Raises nothing: a command that cannot be started has failed."""
    well = True
    for name in PHASES:
        phase = phases.get(name) or {}
        if not well and name != "post_build":
            return False
        environment = os.environ | variables | {"CODEBUILD_BUILD_SUCCEEDING": "1" if well else "0"}
        print(f"== {name}", flush=True)
        done = _shell(phase.get("commands", []), environment)
        done = _shell(phase.get("finally", []), environment) and done
        well = well and done
        if not well and name in ("install", "pre_build"):
            return False
    return well


def _shell(commands: list[str], environment: dict[str, str]) -> bool:
    script = "\n".join(["set -e", *commands])
    return not commands or subprocess.run(["/bin/bash", "-c", script], env=environment, check=False).returncode == 0


def _variables(spec: dict[str, Any]) -> dict[str, str]:
    named = (spec.get("env") or {}).get("variables") or {}
    return {str(name): str(value) for name, value in named.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
