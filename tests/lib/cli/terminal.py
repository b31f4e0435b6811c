"""A program on a terminal of its own, as somebody at the keyboard sees it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

SECONDS = 60.0
TRIES = 20
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """Runs a command with a pseudo-terminal as its input, output and controlling terminal."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self.raw = ""
        self._at = 0
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=dict(env)
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.write(self._master, b"\x03\x04")
            self._process.terminate()
            self._process.wait(SECONDS)
        os.close(self._master)

    @property
    def text(self) -> str:
        """All that was shown, without colours."""
        return _ESCAPES.sub("", self.raw).replace("\r\n", "\n")

    def type(self, text: str) -> None:
        """Press keys. `\\n` is Enter, `\\x03` Ctrl-C, `\\x04` Ctrl-D."""
        os.write(self._master, text.encode())

    def insist(self, keys: str, pattern: str) -> str:
        """Press keys until something new is shown that matches: readline loses a Ctrl-C that comes in a bad moment."""
        for _ in range(TRIES):
            self.type(keys)
            with suppress(AssertionError):
                return self.expect(pattern, SECONDS / TRIES)
        raise AssertionError(f"{pattern!r} was not shown\n{self.text}")

    def expect(self, pattern: str, seconds: float = SECONDS) -> str:
        """Wait until something new is shown that matches; all up to its end counts as seen. Raises `AssertionError`."""
        end = time.monotonic() + seconds
        while not (found := re.compile(pattern, re.M).search(self.text, self._at)):
            goes_on = self._read() and time.monotonic() < end
            assert goes_on, f"{pattern!r} was not shown\n{self.text}"
        self._at = found.end()
        return found.group()

    def ended(self) -> int:
        """The exit status, once it has ended. Raises `AssertionError` when it does not."""
        end = time.monotonic() + SECONDS
        while self._read():
            assert time.monotonic() < end, f"it has not ended\n{self.text}"
        return self._process.wait(SECONDS)

    def _read(self) -> bool:
        """Whether the program still shows something, now or within a while."""
        if not select.select([self._master], [], [], 1.0)[0]:
            return self._process.poll() is None
        try:
            block = os.read(self._master, 65536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.raw += block.decode(errors="replace")
        return bool(block)
