"""Carry out the phases of a buildspec as CodeBuild does, on this machine.

    build = Buildspec.read(ROOT / "cicd/3-app/aiproxy/buildspec.yml")
    done = build.run(folder, {"TARGET_BRANCH": "main", ...}, phases=["pre_build", "build"])

All commands of all phases run in one shell, one after the other, in `folder`, a copy of the source. The first that
fails ends the build: each phase says so with `on-failure: ABORT`, and a test holds that.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")
BUILD = {  # what CodeBuild itself puts into the environment of a build
    "CI": "true",
    "CODEBUILD_BUILD_SUCCEEDING": "1",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": "0123456789abcdef0123456789abcdef01234567",
}
# A command of its own file, read by the one shell, so that what it sets stays, as in CodeBuild (version 0.2).
STEP = """
printf '\\n[buildspec] %s\\n' {label}
. {file} || {{ status=$?; printf '[buildspec] failed (%s): %s\\n' "$status" {label} >&2; exit "$status"; }}
"""


@dataclass(frozen=True)
class Done:
    """A build that has ended: its exit status, and what its commands printed, both streams in one."""

    status: int
    output: str

    @property
    def failed_at(self) -> str | None:
        """The command that failed."""
        for line in self.output.splitlines():
            if line.startswith("[buildspec] failed ("):
                return line.partition("): ")[2]
        return None


@dataclass(frozen=True)
class Buildspec:
    """A buildspec as it is written."""

    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Buildspec:
        """The buildspec in a file. Raises `ValueError` for what CodeBuild would carry out otherwise than this."""
        content = yaml.safe_load(path.read_text())
        if content.get("version") != 0.2 or content.get("env", {}).get("shell") != "bash":
            raise ValueError("only version 0.2 with bash: all commands share one shell")
        if unknown := content["phases"].keys() - set(PHASES):
            raise ValueError(f"no such phase: {unknown}")
        return cls(content)

    def commands(self, phases: Sequence[str] = PHASES) -> Iterator[str]:
        """The commands of these phases, in CodeBuild's order."""
        for name in PHASES:
            if name in phases:
                yield from self.content["phases"].get(name, {}).get("commands", [])

    def run(
        self,
        folder: Path,
        environ: Mapping[str, str],
        phases: Sequence[str] = PHASES,
        seconds: float = 1800,
    ) -> Done:
        """Run these phases in `folder`. Nothing of this process's environment is passed on but `PATH` and what
        reaches a package index; the rest is CodeBuild's, the file's own variables and `environ`."""
        return run(list(self.commands(phases)), folder, {**self.variables, **environ}, seconds)

    @property
    def variables(self) -> dict[str, str]:
        """`env.variables`."""
        return {name: str(value) for name, value in self.content.get("env", {}).get("variables", {}).items()}

    def artifacts(self, folder: Path) -> list[Path]:
        """The files that would be kept, as paths below the artifact's own root."""
        kept = self.content["artifacts"]
        root = folder / kept.get("base-directory", ".")
        found = {path for pattern in kept["files"] for path in root.glob(pattern) if path.is_file()}
        return sorted(path.relative_to(root) for path in found)


def run(commands: Sequence[str], folder: Path, environ: Mapping[str, str], seconds: float = 1800) -> Done:
    """Commands in one bash, until one fails or all have ended. Raises `subprocess.TimeoutExpired`."""
    steps = folder / ".buildspec"
    steps.mkdir(exist_ok=True)
    script = []
    for number, command in enumerate(commands):
        file = steps / f"{number:02}.sh"
        file.write_text(command + "\n")
        script.append(STEP.format(label=shlex.quote(command.partition("\n")[0]), file=shlex.quote(str(file))))
    done = subprocess.run(
        ["bash", "-c", "".join(script)],
        cwd=folder,
        env={**_passed_on(), **BUILD, "CODEBUILD_SRC_DIR": str(folder), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Done(done.returncode, done.stdout)


def _passed_on() -> dict[str, str]:
    wanted = ("PATH", "HOME", "LANG", "DOCKER_HOST", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    return {name: value for name, value in os.environ.items() if name in wanted or name.startswith("PIP_")}
