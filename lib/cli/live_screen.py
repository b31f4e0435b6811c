"""What `bin/live-client` shows and asks: with colours and menus on a terminal, plainly in a pipe."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

_UNSEEN = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class Screen:
    """Answers go to standard output. What is said about them goes there on a terminal, and aside in a pipe."""

    def __init__(self) -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._out = Console(highlight=False, markup=False, soft_wrap=True)
        self._notes = (
            self._out if self.interactive else Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        )
        if self.interactive:
            import readline  # noqa: F401, PLC0415  lines can be edited; it writes to a pipe when it is loaded

    def piece(self, text: str) -> None:
        """A piece of an answer, as it comes. What a terminal would take for a command is left out."""
        self._out.out(text.translate(_UNSEEN), end="", highlight=False)
        self._out.file.flush()

    def note(self, text: str) -> None:
        """A line about what happened."""
        self._notes.print(text.translate(_UNSEEN), style="dim")

    def fault(self, text: str) -> None:
        """What went wrong, in one line."""
        self._notes.print(text.translate(_UNSEEN), style="red")

    def table(self, rows: Iterable[tuple[str, str]]) -> None:
        """Two columns."""
        table = Table(show_header=False, box=None)
        for row in rows:
            table.add_row(*row)
        self._notes.print(table)

    def line(self, prompt: str = "> ") -> str:
        """What is typed. Raises `EOFError` at the end (Ctrl-D) and `KeyboardInterrupt`."""
        return input(prompt if self.interactive else "")

    def secret(self, prompt: str) -> str:
        """What is typed and not shown."""
        return getpass.getpass(prompt)

    def choose(self, what: str, options: Sequence[str]) -> str:
        """One of `options`, by number or name; the first for an empty line, and where nobody can be asked."""
        if len(options) == 1 or not self.interactive:
            return options[0]
        self.table((str(number), option) for number, option in enumerate(options, 1))
        while True:
            typed = self.line(f"{what} (1): ").strip() or "1"
            if typed in options:
                return typed
            if typed.isdigit() and 0 < int(typed) <= len(options):
                return options[int(typed) - 1]
            self.fault(f"a number from 1 to {len(options)}, or a name")
