"""Where a worker is between its start and its end."""

from __future__ import annotations

from lib.base import Lifecycle


def test_goes_from_starting_to_ready_to_draining():
    lifecycle = Lifecycle()
    states = [lifecycle.state]
    lifecycle.ready()
    states.append(lifecycle.state)
    lifecycle.drain()
    states.append(lifecycle.state)
    assert states == ["starting", "ready", "draining"]


def test_what_drains_never_becomes_ready_again():
    lifecycle = Lifecycle()
    lifecycle.drain()
    lifecycle.ready()
    assert lifecycle.state == "draining"


class Waiting:
    """Counts how often it was told to end."""

    def __init__(self) -> None:
        self.ended = 0

    def end(self) -> None:
        self.ended += 1


def test_tells_those_who_wait_and_those_who_come_too_late():
    lifecycle = Lifecycle()
    before, over, late = Waiting(), Waiting(), Waiting()
    lifecycle.add(before)
    lifecycle.add(over)
    lifecycle.discard(over)
    lifecycle.drain()
    assert before.ended == 0
    lifecycle.end()
    lifecycle.add(late)
    assert (before.ended, over.ended, late.ended) == (1, 0, 1)
