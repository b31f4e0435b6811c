"""A server of somebody else's as a subprocess, that a test may freeze, thaw and kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

START_SECONDS = 60.0
STOP_SECONDS = 30.0
TICK = 0.02


def missing(program: str, package: str) -> NoReturn:
    """A program that the tests need is not there: a failure in CI, a skip with the reason elsewhere."""
    reason = f"{program} is not installed (Debian's package {package})"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Program:
    """One running server. `ready` says whether it answers; `options` go to `subprocess.Popen`."""

    def __init__(self, command: Sequence[str], log: Path, ready: Callable[[], bool], **options: Any) -> None:
        self._command = command
        self._log = log
        self._ready = ready
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the server, or of the first of its processes."""
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, timeout: float = START_SECONDS) -> None:
        """Start and wait until it answers. Raises `RuntimeError` with its output otherwise."""
        command = [*_ends_with_us(), *self._command]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._options)
        end = time.monotonic() + timeout
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"{self._command[0]} did not start\n{self._log.read_text(errors='replace')}")
            time.sleep(TICK)

    def freeze(self) -> None:
        """Stop all its processes where they are: connections stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._signal(signal.SIGCONT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Frozen for the length of a block."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def kill(self) -> None:
        """End it at once, as a machine that loses power does. `start` may follow."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end; kill it when it does not."""
        if self._process is None or self._process.poll() is not None:
            return
        self.thaw()
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        for pid in [self._process.pid, *_below(self._process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _ends_with_us() -> Sequence[str]:
    """What to put before a command so that it does not outlive a test run that was killed."""
    return ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()


def _below(pid: int) -> Iterator[int]:
    """The processes that a process started, and those that they did (from Linux's /proc)."""
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from _below(int(child))
