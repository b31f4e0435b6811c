"""The AWS CLI, loaded once for all the tests of a process (tests/cicd/quick)."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.house.tree import ROOT
from tests.servers.program import Program

TOOLS = ROOT / ".venv-cicd/bin"  # bin/setup.sh --cicd; the real AWS CLI is there
QUICK = ROOT / "tests/cicd/quick"


@cache
def quick_cli() -> dict[str, str]:
    """The environment in which `aws` does not take a second to start. It serves until the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="aws"))  # a path of a socket is short, and a test's folder may not be
    socket = folder / "cli"
    server = Program([str(TOOLS / "python"), str(QUICK / "server.py"), str(socket)], folder / "cli.log", socket.exists)
    server.start()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.stop)
    return {"PATH": f"{QUICK}:{TOOLS}:{os.environ['PATH']}", "AWS_CLI_SOCKET": str(socket)}
