"""What is done in a thread beside the event loop, and how it fails."""

from __future__ import annotations

from threading import Event, get_ident
from time import monotonic

import gevent
import pytest

from lib.base.errors import BadRequest, DeadlineExceeded
from lib.net import Aside
from lib.net.aside import AT_ONCE, SHORT

SIZES = (AT_ONCE, SHORT, SHORT + 1)


def _soon() -> float:
    return monotonic() + 20


def test_each_lane_is_a_thread_of_its_own() -> None:
    aside = Aside()
    seen = [aside.run(get_ident, size, _soon()) for size in SIZES]
    assert len(set(seen)) == len(SIZES)
    assert seen[0] == get_ident()
    assert aside.run(get_ident, SHORT, _soon()) == seen[1]


@pytest.mark.parametrize("size", SIZES)
def test_a_failure_is_raised_where_it_is_waited_for_and_written_nowhere(
    size: int, capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        raise BadRequest("`code` is too long", param="code")

    with pytest.raises(BadRequest, match="too long"):
        Aside().run(work, size, _soon())
    assert capfd.readouterr() == ("", "")


def test_nobody_waits_beyond_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        Aside().run(get_ident, SHORT, monotonic() - 1)


def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    aside, go_on, done = Aside(), Event(), []
    first = gevent.spawn(aside.run, lambda: go_on.wait(20), SHORT, _soon())
    gevent.sleep(0)
    with pytest.raises(DeadlineExceeded):
        aside.run(lambda: done.append("late"), SHORT, monotonic() + 0.05)
    go_on.set()
    aside.run(lambda: done.append("next"), SHORT, _soon())
    assert (first.get(timeout=20), done) == (True, ["next"])
