"""The answer that a greenlet makes: slices, back-pressure, ends. Real greenlets, no vendor."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import gevent
import pytest
from gevent.event import Event

from lib.base.errors import ClientGone, VendorOverloaded, VendorProtocolError
from lib.providers.bedrock_answer import LIMIT, BedrockAnswer, Head

Pieces = Generator[bytes, None, None]
SOON = 5.0  # seconds: far more than anything here takes
NOW = 0.01


@dataclass
class Vendor:
    """Makes pieces when the test says so, and remembers how it ended."""

    go: Event = field(default_factory=Event)
    made: int = 0
    left: list[str] = field(default_factory=list)

    def waits(self, head: Head) -> Pieces:
        try:
            self.go.wait()
            head.append(("x-amzn-requestid", "r-1"))
            yield b"one"
            self.go.clear()
            self.go.wait()
            yield b"two"
            self.left.append("finished")
        finally:
            self.left.append("closed")

    def floods(self, head: Head) -> Pieces:
        try:
            for _ in range(40):
                self.made += 1
                yield b"x" * (LIMIT // 4)
        finally:
            self.left.append("closed")


def answer_of(make: Callable[[Head], Pieces]) -> BedrockAnswer:
    return BedrockAnswer("text/event-stream", make)


def rest_of(answer: BedrockAnswer) -> bytes:
    blocks = []
    while block := answer.read(SOON):
        blocks.append(block)
    assert block == b""
    return b"".join(blocks)


def test_silence_is_reported_and_not_the_end() -> None:
    vendor = Vendor()
    answer = answer_of(vendor.waits)
    assert answer.start(NOW) is False
    vendor.go.set()
    assert answer.start(SOON) is True
    assert answer.headers == [("content-type", "text/event-stream"), ("x-amzn-requestid", "r-1")]
    assert answer.read(SOON) == b"one"
    assert answer.read(NOW) is None
    vendor.go.set()
    assert rest_of(answer) == b"two"
    assert answer.read(SOON) == b""
    answer.close()
    answer.close()
    assert vendor.left == ["finished", "closed"]


def test_nothing_runs_before_start() -> None:
    vendor = Vendor()
    answer = answer_of(vendor.floods)
    gevent.sleep(NOW)
    assert vendor.made == 0
    answer.close()
    assert vendor.made == 0


def test_everything_that_arrived_comes_in_one_read() -> None:
    def make(head: Head) -> Pieces:
        yield b"a"
        yield b""
        yield b"b"

    answer = answer_of(make)
    assert answer.start(SOON)
    assert answer.read(SOON) == b"ab"
    assert answer.read(SOON) == b""


def test_a_slow_reader_slows_the_vendor_down() -> None:
    vendor = Vendor()
    answer = answer_of(vendor.floods)
    assert answer.start(SOON)
    gevent.sleep(NOW)
    assert vendor.made == 5  # four fill the limit, the fifth waits for room
    assert len(rest_of(answer)) == 10 * LIMIT
    assert vendor.left == ["closed"]


@pytest.mark.parametrize("ending", ["abort", "close"])
def test_an_ending_reaches_a_vendor_that_waits_for_room(ending: str) -> None:
    vendor = Vendor()
    answer = answer_of(vendor.floods)
    assert answer.start(SOON)
    gevent.sleep(NOW)
    getattr(answer, ending)()
    gevent.sleep(NOW)
    assert vendor.left == ["closed"]
    assert vendor.made == 5
    with pytest.raises(ClientGone):
        answer.read(SOON)


@pytest.mark.parametrize("begun", [False, True])
def test_abort_wakes_whoever_waits(begun: bool) -> None:
    vendor = Vendor()
    answer = answer_of(vendor.waits)
    if begun:
        vendor.go.set()
        assert answer.start(SOON)
        assert answer.read(SOON) == b"one"
    gevent.spawn_later(NOW, answer.abort)
    with pytest.raises(ClientGone):
        answer.read(SOON) if begun else answer.start(SOON)
    answer.close()
    assert vendor.left == ["closed"]


def test_abort_may_come_from_the_event_loop() -> None:
    """Where the client's socket is watched: nothing may wait there."""
    vendor = Vendor()
    answer = answer_of(vendor.waits)
    timer = gevent.get_hub().loop.timer(NOW)
    timer.start(answer.abort)
    with pytest.raises(ClientGone):
        answer.start(SOON)
    timer.close()
    answer.close()
    assert vendor.left == ["closed"]


def test_abort_before_start_sends_nothing() -> None:
    vendor = Vendor()
    answer = answer_of(vendor.floods)
    answer.abort()
    with pytest.raises(ClientGone):
        answer.start(SOON)
    answer.close()
    assert vendor.made == 0


def test_close_leaves_no_greenlet_behind() -> None:
    vendor = Vendor()
    answer = answer_of(vendor.waits)
    assert answer.start(NOW) is False
    answer.close()
    assert vendor.left == ["closed"]


def test_a_failure_before_the_first_piece_comes_out_of_start() -> None:
    def make(head: Head) -> Pieces:
        raise VendorOverloaded(detail="try later")
        yield b""

    answer = answer_of(make)
    with pytest.raises(VendorOverloaded):
        answer.start(SOON)
    answer.close()


def test_a_later_failure_comes_out_of_read_after_what_was_made() -> None:
    def make(head: Head) -> Pieces:
        yield b"half of"
        raise VendorProtocolError(detail="cut")

    answer = answer_of(make)
    assert answer.start(SOON)
    assert answer.read(SOON) == b"half of"
    with pytest.raises(VendorProtocolError):
        answer.read(SOON)
    answer.close()


def test_a_fault_of_ours_is_not_hidden(capsys: pytest.CaptureFixture[str]) -> None:
    def make(head: Head) -> Pieces:
        raise KeyError("ours")
        yield b""

    answer = answer_of(make)
    with pytest.raises(KeyError, match="ours"):
        answer.start(SOON)
    answer.close()
    assert "KeyError" in capsys.readouterr().err  # gevent tells of it as well
