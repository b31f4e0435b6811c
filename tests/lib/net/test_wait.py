"""Waits on real sockets that end in time, or when they are told to."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from time import monotonic
from typing import Any

import gevent
import gevent.socket
import pytest

from lib.net import Wait

LONG = 4.0  # seconds; far more than any of these tests should take


class LateError(Exception):
    pass


class EndedError(Exception):
    pass


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Any]]:
    """A client's end and ours."""
    client, other = socket.socketpair()
    ours = gevent.socket.socket(family=other.family, type=other.type, fileno=other.detach())
    yield client, ours
    client.close()
    ours.close()


def test_a_wait_on_somebody_who_trickles_ends_in_time(pair: tuple[socket.socket, Any]) -> None:
    client, ours = pair

    def trickle() -> None:
        for _ in range(400):
            client.sendall(b"x")
            gevent.sleep(0.01)

    trickling = gevent.spawn(trickle)
    begin = monotonic()
    with pytest.raises(LateError), Wait(0.1, LateError()):
        while ours.recv(1):
            pass
    assert 0.09 < monotonic() - begin < LONG
    trickling.kill()


def test_what_comes_in_time_is_not_disturbed(pair: tuple[socket.socket, Any]) -> None:
    client, ours = pair
    client.sendall(b"x")
    with Wait(0.01, LateError()):
        assert ours.recv(1) == b"x"
    gevent.sleep(0.03)


def test_what_needs_no_wait_is_done_however_late_it_is() -> None:
    with Wait(-1.0, LateError()):
        done = True
    gevent.sleep(0.01)
    assert done


def test_one_that_is_told_to_end_ends_at_once(pair: tuple[socket.socket, Any]) -> None:
    waits: set[Wait] = set()
    gevent.spawn_later(0.02, lambda: [wait.end() for wait in waits])
    begin = monotonic()
    with pytest.raises(EndedError), Wait(LONG, LateError(), waits, EndedError()):
        pair[1].recv(1)
    assert monotonic() - begin < LONG
    assert waits == set()


def test_one_without_an_error_is_left_in_silence(pair: tuple[socket.socket, Any]) -> None:
    waits: set[Wait] = set()
    with Wait(0.01, False, waits):
        pair[1].recv(1)
    gevent.spawn_later(0.02, lambda: [wait.end() for wait in waits])
    with Wait(LONG, False, waits):
        pair[1].recv(1)
    assert waits == set()


def test_the_end_of_a_wait_that_is_over_is_nobodys() -> None:
    with Wait(LONG, LateError(), ended=EndedError()) as wait:
        wait.end()
    gevent.sleep(0.01)
