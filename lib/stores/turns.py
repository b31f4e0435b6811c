"""Pieces of work that share a transaction: all that the calls of a worker ask for in one turn of its loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

import gevent
from gevent.event import Event

from lib.stores.database import Session, T


class Turn(Generic[T]):
    """One piece of work, and what became of it: a result, or the error that it ended with."""

    __slots__ = ("error", "result", "work")

    def __init__(self, work: Callable[[Session], T]) -> None:
        self.work = work
        self.result: T
        self.error: BaseException | None = None

    def outcome(self) -> T:
        """The result. Raises the error."""
        if self.error is None:
            return self.result
        try:
            raise self.error
        finally:
            del self  # else the error's traceback holds the error


Turns = list[Turn[Any]]


class Gathering:
    """Where the greenlets of one thread bring their turns.

    All that are there once the loop has come round are carried out together, also those of greenlets that were killed
    meanwhile. Where turns come one at a time, each is carried out on the spot.
    """

    def __init__(self) -> None:
        self._group: _Group | None = None
        self._asked = 0  # since the loop came round
        self._alone = True  # whether the turn before was the only one in its round
        self._at_work = False  # on one on the spot

    def ask(self, turn: Turn[T], carry_out: Callable[[Turns], None]) -> T:
        """What the turn gives, when it is over. Raises its error.

        `carry_out` gives each of some turns its outcome and raises nothing; they may become more while it waits.
        """
        self._asked += 1
        if self._asked == 1:
            gevent.get_hub().loop.run_callback(self._come_round)
            if self._alone and not self._at_work and self._group is None:
                return self._on_the_spot(turn, carry_out)
        group = self._group
        if group is None:
            group = self._group = _Group()
            gevent.spawn_raw(self._serve, group, carry_out)
        group.turns.append(turn)
        group.over.wait()
        return turn.outcome()

    def _come_round(self) -> None:
        self._alone = self._asked == 1
        self._asked = 0

    def _on_the_spot(self, turn: Turn[T], carry_out: Callable[[Turns], None]) -> T:
        self._at_work = True
        try:
            carry_out([turn])
        finally:
            self._at_work = False
        return turn.outcome()

    def _serve(self, group: _Group, carry_out: Callable[[Turns], None]) -> None:
        carry_out(group.turns)
        self._group = None
        group.over.set()


class _Group:
    __slots__ = ("over", "turns")

    def __init__(self) -> None:
        self.turns: Turns = []
        self.over = Event()
