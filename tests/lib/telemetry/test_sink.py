"""Writing: whole lines, and never a failure for whoever logs."""

from __future__ import annotations

import errno
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.telemetry.logs import Logger, hand_over
from lib.telemetry.sink import Sink
from tests.lib.telemetry.embedding import SECRETS, embedded, texts


class Stream:
    """A file that keeps each write apart. `takes` bytes are taken at once; `full` is a full disk."""

    def __init__(self, takes: int = 1_000_000) -> None:
        self.writes: list[bytes] = []
        self.takes = takes
        self.full = False

    def write(self, data: bytes, /) -> int | None:
        if self.full:
            raise OSError(errno.ENOSPC, "full")
        if not self.takes:
            return None
        self.writes.append(data[: self.takes])
        return len(self.writes[-1])


@pytest.fixture
def stream():
    return Stream()


@pytest.fixture
def log(stream: Stream):
    return Logger(Sink(stream), (hand_over,), {"logger": "test"})


def test_a_line_is_one_write(stream: Stream, log: Logger):
    log.info("a", x=1)
    log.error("b" * 10_000)
    assert [json.loads(write)["event"] for write in stream.writes] == ["a", "b" * 10_000]
    assert all(write.endswith(b"\n") for write in stream.writes)


def test_a_line_that_is_taken_in_parts_is_written_to_its_end(stream: Stream, log: Logger):
    stream.takes = 7
    log.info("abcdefghijklmnopqrstuvwxyz")
    assert len(stream.writes) > 5
    assert json.loads(b"".join(stream.writes))["event"] == "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("trouble", ["full", "takes"])
def test_lines_that_cannot_be_written_are_counted_and_owned_up_to(stream: Stream, log: Logger, trouble: str):
    setattr(stream, trouble, trouble == "full")
    log.info("lost")
    log.info("lost too")
    stream.full, stream.takes = False, 1_000_000
    log.info("there again")
    first, second = map(json.loads, stream.writes)
    assert (first["event"], first["level"], first["count"]) == ("log lines were lost", "warning", 2)
    assert second["event"] == "there again"


def test_grave_events_are_reported_with_their_exception():
    told: list[tuple[str, object, BaseException | None]] = []
    sink = Sink(Stream())
    sink.report = lambda level, fields, error: told.append((level, fields["event"], error))
    log = Logger(sink, (hand_over,), {"logger": "test"})
    failure = ValueError("x")
    log.warning("not grave", exc_info=failure)
    log.error("grave")
    log.critical("very", exc_info=failure)
    assert told == [("error", "grave", None), ("critical", "very", failure)]


def test_an_event_below_the_threshold_is_not_reported():
    sink = Sink(Stream())
    sink.threshold = 50
    sink.report = lambda *_: pytest.fail("reported")
    Logger(sink, (hand_over,), {}).error("x")


@given(st.data(), SECRETS)
def test_a_held_secret_is_never_written(data: st.DataObject, secret: str):
    stream = Stream()
    sink = Sink(stream)
    sink.redactor.add([secret])
    error = RuntimeError(f"with {secret}")
    error.__cause__ = ValueError(secret)
    log = Logger(sink, (hand_over,), {"logger": data.draw(st.sampled_from(["test", secret]))})
    log.error(str(data.draw(embedded(secret))), field=data.draw(embedded(secret)), exc_info=error)
    line = json.loads(stream.writes[0])
    del line["timestamp"], line["level"]
    for text in texts(line):
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text
        assert repr(secret)[1:-1] not in text


@given(st.data(), st.from_regex(r"[A-Za-z0-9_./+=!@-]{16,40}", fullmatch=True))
def test_nor_on_a_terminal(data: st.DataObject, secret: str):
    stream = Stream()
    sink = Sink(stream, "console")
    sink.redactor.add([secret])
    log = Logger(sink, (hand_over,), {"logger": "test"})
    log.error(secret, field=data.draw(embedded(secret)), exc_info=ValueError(secret))
    assert secret not in stream.writes[0].decode()
