"""Programs that run as processes of their own: what they write is caught outside, as an operator would see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Output:
    """What a program wrote."""

    stdout: str
    stderr: str
    status: int

    @property
    def all(self) -> str:
        return self.stdout + self.stderr

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines; every one of them must be."""
        return [json.loads(line) for line in self.stdout.removesuffix("\n").split("\n") if line]

    def events(self, logger: str) -> list[str]:
        return [line["event"] for line in self.lines if line["logger"] == logger]


@pytest.fixture
def program() -> Callable[..., Output]:
    """`program(source, NAME=value)` runs Python source with these environment variables until it ends."""

    def run(source: str, **environ: str) -> Output:
        done = subprocess.run(
            [sys.executable, "-c", dedent(source)],
            cwd=ROOT,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Output(done.stdout, done.stderr, done.returncode)

    return run
