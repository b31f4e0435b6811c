"""Run the phases of a buildspec file in the current folder, as CodeBuild runs them. Needs PyYAML.

    python3 cicd/lib/run_buildspec.py FILE

All commands share one shell, so that `cd` and variables carry over; the first that fails ends the run. Of the rest of
the file only `env.variables` is read: what runs the builds of strangers hands out no secrets and keeps no artifacts.
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
    """The exit code of the command that failed; 2 when the file is not a buildspec that can be run so."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    spec = yaml.safe_load(Path(arguments[0]).read_text())
    phases = spec.get("phases") if isinstance(spec, dict) else None
    if not isinstance(phases, dict) or not set(phases) <= set(PHASES):
        print(f"{arguments[0]} has no phases, or some that are not known here.", file=sys.stderr)
        return 2
    if any("finally" in phase for phase in phases.values()):
        print("A phase with `finally` cannot be run here.", file=sys.stderr)
        return 2
    return subprocess.run(
        ["/bin/bash", "-c", script(phases)], env=os.environ | _variables(spec), check=False
    ).returncode


def script(phases: dict[str, Any]) -> str:
    """The phases as one shell script, in the order of CodeBuild."""
    lines = ["set -e"]
    for name in PHASES:
        lines += [f"echo '== {name}'", *phases[name].get("commands", [])] if name in phases else []
    return "\n".join(lines)


def _variables(spec: dict[str, Any]) -> dict[str, str]:
    named = (spec.get("env") or {}).get("variables") or {}
    return {str(name): str(value) for name, value in named.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
