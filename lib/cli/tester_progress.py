"""What `bin/rubric-tester` shows while it runs: a bar on a terminal, a line for each failure elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lib.assessment import measure
from lib.base.money import show


class Watch(Protocol):
    """Hears of every program of a run, from entering to leaving."""

    def __enter__(self) -> Watch: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def lesson(self, name: str) -> None:
        """A lesson begins."""

    def done(self, program: measure.GradedProgram) -> None:
        """A program is graded, or failed."""


def watch(total: int) -> Watch:
    """A bar where standard error is a terminal."""
    console = Console(file=sys.stderr)
    return Bar(total, console) if console.is_terminal else Quiet()


class Quiet:
    """Says nothing but what failed."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put away."""

    def lesson(self, name: str) -> None:
        """Nothing to say."""

    def done(self, program: measure.GradedProgram) -> None:
        """One line for a failure."""
        if program.error is not None:
            print(f"{program.student}: {program.error}", file=sys.stderr)


class Bar:
    """A bar with what is done, what failed, what it cost and how long it still takes."""

    def __init__(self, total: int, console: Console) -> None:
        self._failed = 0
        self._cost = 0
        self._unknown = False
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rest]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=total, rest="")

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def lesson(self, name: str) -> None:
        """Say which lesson it is."""
        self._bar.update(self._task, description=name)

    def done(self, program: measure.GradedProgram) -> None:
        """Move on. A failure is a line above the bar."""
        if program.error is not None:
            self._failed += 1
            self._bar.console.print(f"{program.student}: {program.error}", markup=False, highlight=False)
        self._cost += program.cost or 0
        self._unknown |= program.error is None and program.cost is None
        self._bar.update(self._task, advance=1, rest=self._rest())

    def _rest(self) -> str:
        cost = "cost unknown" if self._unknown else f"{show(self._cost)} USD"
        return f"{self._failed} failed, {cost}" if self._failed else cost
