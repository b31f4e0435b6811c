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
