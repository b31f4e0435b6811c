"""A real terminal with a program in its foreground: what a person sees, types, presses and closes."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

PATIENCE = 60.0
MOMENT = 10.0
CTRL_C = b"\x03"
LOCAL_MODES = 3  # where the terminal's settings have them


class Terminal:
    """One program, for the length of a block; it leads a session of its own, whose terminal this is."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        self._screen, inside = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "env", "--default-signal", *command],  # in a job, Ctrl-C is ignored
            env=dict(environment),
            stdin=inside,
            stdout=inside,
            stderr=inside,
        )
        os.close(inside)
        self.said = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.left_over():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.hang_up()

    def wait_for(self, text: str) -> None:
        """Read until this is on the screen."""
        end = time.monotonic() + PATIENCE
        while text not in self.said:
            assert time.monotonic() < end, self.said
            assert self._read(), self.said

    def wait_for_question(self, text: str) -> None:
        """Read until this is on the screen and nothing but the keyboard is waited for."""
        self.wait_for(text)
        end = time.monotonic() + PATIENCE
        while self.left_over() != [self.process.pid] or _words(self.process.pid)[0] != "S":
            assert time.monotonic() < end, self.said
            time.sleep(0.02)

    def wait_for_secret_question(self, text: str) -> None:
        """Read until this is on the screen and what is typed is not shown."""
        self.wait_for(text)
        end = time.monotonic() + PATIENCE
        while termios.tcgetattr(self._screen)[LOCAL_MODES] & termios.ECHO:
            assert time.monotonic() < end, self.said
            time.sleep(0.02)

    def type(self, text: str) -> None:
        """Type."""
        os.write(self._screen, text.encode())

    def press_ctrl_c(self) -> None:
        """SIGINT for all of the foreground, from the terminal itself."""
        os.write(self._screen, CTRL_C)

    def hang_up(self) -> None:
        """Close the window."""
        if self._screen >= 0:
            os.close(self._screen)
            self._screen = -1

    def ended(self) -> int:
        """Its exit code, once it has ended; `said` is whole then."""
        while self._screen >= 0 and self._read():
            pass
        return self.process.wait(PATIENCE)

    def wait_until_alone(self) -> None:
        """Until no process of its session runs; one that was told to end may take a moment."""
        end = time.monotonic() + MOMENT
        while self.left_over():
            assert time.monotonic() < end, f"{self.left_over()} still run\n{self.said}"
            time.sleep(0.02)

    def left_over(self) -> list[int]:
        """The processes of its session that still run."""
        running = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [pid for pid in running if _session(pid) == self.process.pid]

    def _read(self) -> bool:
        """Whether there was something, within the time that one waits."""
        ready, _, _ = select.select([self._screen], [], [], PATIENCE)
        assert ready, self.said
        try:
            got = os.read(self._screen, 65536)
        except OSError:  # the last one has closed it
            return False
        self.said += got.decode(errors="replace").replace("\r\n", "\n")
        return bool(got)


def _words(pid: int) -> list[str]:
    """What Linux says of a process, from its state on; `Z` when it has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["Z"]


def _session(pid: int) -> int | None:
    words = _words(pid)
    return int(words[3]) if words[0] != "Z" else None
