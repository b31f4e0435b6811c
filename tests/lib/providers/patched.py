"""A child process that gevent has patched, as the server is: there boto3 yields while it waits."""

from __future__ import annotations

import importlib
import json
import select
import subprocess
import sys
import traceback
from typing import Any, Self

from tests.upstream.aws_environment import environment
from tests.upstream.gateway import ROOT

BOOT = """
from gevent import monkey
monkey.patch_all()
from tests.lib.providers.patched import serve
serve()
"""
PATIENCE = 60.0  # seconds for one function


class Patched:
    """Runs functions of a module by name, in the child. Their arguments and results are JSON."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOOT], cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def run(self, function: str, *arguments: Any) -> Any:
        """The function's result. Raises `AssertionError` with its traceback when it failed."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([self._module, function, arguments]).encode() + b"\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], PATIENCE)[0]:
            process.kill()
            raise AssertionError(f"{function} did not end within {PATIENCE:g} s")
        reply = json.loads(process.stdout.readline() or b'{"failure": "the child died"}')
        assert "failure" not in reply, reply["failure"]
        return reply["result"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()


def serve() -> None:
    """The child's side: one line for each call, one for each result."""
    for line in sys.stdin:
        module, function, arguments = json.loads(line)
        try:
            reply = {"result": getattr(importlib.import_module(module), function)(*arguments)}
        except Exception:  # noqa: BLE001 - the parent's test fails with it
            reply = {"failure": traceback.format_exc()}
        print(json.dumps(reply), flush=True)
