"""How command line programs end when whoever reads their output has left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MODULE = ("-m", "lib.cli.{}")
GEVENT = ("-m", "gevent.monkey", "--module", "lib.cli.{}")
PROGRAMS = [
    (MODULE, "keys", ["list"]),
    (MODULE, "keys", ["--help"]),
    (MODULE, "prices", ["gpt-4o"]),
    (MODULE, "migrate", []),
    (MODULE, "check", []),
    (MODULE, "secrets", ["--names"]),
    (MODULE, "live_client", ["--help"]),
    (MODULE, "live_test", ["--help"]),
    (GEVENT, "rubric_tester", ["--help"]),
    (GEVENT, "rubric_tester", ["--dry-run", "--experiment-name", "baseline", "--start", str(ROOT)]),
]


def ended(how: tuple[str, ...], program: str, arguments: list[str], folder: Path) -> tuple[int, str]:
    """The exit status and what was complained of, with standard output a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": f"sqlite:///{folder}/x.db"}
        command = [sys.executable, *(word.format(program) for word in how), *arguments]
        done = subprocess.run(
            command, check=False, stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize(("how", "program", "arguments"), PROGRAMS)
def test_a_closed_pipe_ends_a_program_in_silence(
    how: tuple[str, ...], program: str, arguments: list[str], tmp_path: Path
) -> None:
    status, complaint = ended(how, program, arguments, tmp_path)
    assert complaint == ""
    # where output is not buffered, argparse itself keeps quiet about its help
    assert status in ((0, 141) if arguments == ["--help"] else (141,))
