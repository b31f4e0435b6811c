"""Server-sent events: the standard's examples, every line ending, every place to cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.wire import sse
from lib.wire.sse import DONE, PING, Event, complete, encode, events

ENDINGS = [b"\n", b"\r\n", b"\r"]


@pytest.mark.parametrize(
    ("buffer", "expected"),
    [
        (b"", 0),
        (b"data: x", 0),
        (b"data: x\n", 0),
        (b"data: x\n\n", 9),
        (b"data: x\n\ndata: y", 9),
        (b"data: x\n\ndata: y\n", 9),
        (b"data: x\n\ndata: y\n\n", 18),
        (b"data: x\r\n", 0),
        (b"data: x\r\n\r\n", 11),
        (b"data: x\r\n\r\ndata: y\r\n", 11),
        (b"data: x\r", 0),
        (b"data: x\r\r", 9),
        (b"data: x\r\n\r", 10),
        (b"data: x\n\r\n", 10),
        (b"data: x\r\n\n", 10),
        (b"data: x\n\ndata: y\r\n\r\ndata: z", 20),
        (b"data: x\r\n\r\ndata: y\n\ndata: z", 20),
        (b"\n", 1),
        (b"\r\n", 2),
        (b"\ndata: x", 1),
        (PING, len(PING)),
        (DONE, len(DONE)),
    ],
)
def test_complete_ends_after_the_last_blank_line(buffer: bytes, expected: int) -> None:
    assert complete(buffer) == expected
    assert complete(bytearray(buffer)) == expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b"data: x\n\n", [Event(None, b"x")]),
        (b"data:x\n\n", [Event(None, b"x")]),
        (b"data:  x\n\n", [Event(None, b" x")]),
        (b"event: add\ndata: 73857293\n\n", [Event("add", b"73857293")]),
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event(None, b"YHOO\n+2\n10")]),
        (b": comment\n\ndata: x\n\n", [Event(None, b"x")]),
        (b": in\ndata: x\n: between\ndata: y\n\n", [Event(None, b"x\ny")]),
        (b"data\n\ndata\ndata\n\ndata:", [Event(None, b""), Event(None, b"\n")]),
        (b"event: ping\n\ndata: x\n\n", [Event(None, b"x")]),
        (b"event:\ndata: x\n\n", [Event(None, b"x")]),
        (b"id: 1\nretry: 10\nother: z\ndata: x\n\n", [Event(None, b"x")]),
        (b"\xef\xbb\xbfdata: x\n\n", [Event(None, b"x")]),
        (b"\n\n\n\ndata: x\n\n\n\n", [Event(None, b"x")]),
        (b"event: \xff\ndata: \xff\n\n", [Event("\ufffd", b"\xff")]),
        (b"data: a:b: c\n\n", [Event(None, b"a:b: c")]),
        (b"data: unfinished\n", []),
        (PING, []),
        (DONE, [Event(None, b"[DONE]")]),
    ],
)
def test_events_follow_the_standard(block: bytes, expected: list[Event]) -> None:
    assert list(events(block)) == expected


@pytest.mark.parametrize("ending", ENDINGS)
def test_events_read_every_line_ending(ending: bytes) -> None:
    block = b"event: a\ndata: 1\ndata: 2\n\n: c\n\ndata: 3\n\n".replace(b"\n", ending)
    assert list(events(block)) == [Event("a", b"1\n2"), Event(None, b"3")]


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"{}", None, b"data: {}\n\n"),
        (b"{}", "message_stop", b"event: message_stop\ndata: {}\n\n"),
        (b"a\nb", None, b"data: a\ndata: b\n\n"),
        (b"a\r\nb\rc", "x", b"event: x\ndata: a\ndata: b\ndata: c\n\n"),
        (b"", None, b"data: \n\n"),
    ],
)
def test_encode_writes_one_event(data: bytes, name: str | None, expected: bytes) -> None:
    assert encode(data, name) == expected


@given(data=st.binary(max_size=60).filter(lambda value: b"\r" not in value), name=st.sampled_from([None, "error"]))
def test_encode_and_events_are_inverse(data: bytes, name: str | None) -> None:
    block = encode(data, name)
    assert complete(block) == len(block)
    assert list(events(block)) == [Event(name, data)]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A stream of events, comments and blank lines in line endings of every style."""
    lines = st.sampled_from([b"data: x", b"data: yy", b"event: e", b": c", b"", b""])
    parts = draw(st.lists(st.tuples(lines, st.sampled_from(ENDINGS)), max_size=12))
    return b"".join(line + ending for line, ending in parts)


@given(stream=streams(), data=st.data())
def test_a_stream_may_be_cut_anywhere(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    seen: list[Event] = []
    buffer = bytearray()
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        buffer += stream[start:end]
        ready = complete(buffer)
        seen += events(bytes(buffer[:ready]))
        del buffer[:ready]
    assert seen == list(events(stream))
    assert list(events(bytes(buffer))) == []


_PIECES = st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"data: x", b"\n\n"])


@given(st.lists(_PIECES, max_size=12).map(b"".join), st.integers(0, 40))
def test_what_was_looked_at_need_not_be_looked_at_again(buffer: bytes, start: int) -> None:
    start = min(start, len(buffer))
    while complete(buffer[:start]):
        start -= 1
    assert complete(buffer, start) == complete(buffer)
    assert complete(bytearray(buffer), start) == complete(buffer)


def test_only_what_is_new_is_read() -> None:
    """A blank line long before `start` is not found: nobody looked there."""
    assert complete(b"data: x\n\n" + b"y" * 20, 20) == 0


class _Untouched:
    """Stands where the search for every style of line ending is: nobody may come here."""

    def finditer(self, *given: object) -> None:
        raise AssertionError("searched for every style of line ending")


@pytest.mark.parametrize(
    ("buffer", "expected"), [(b"data: x", 0), (b"data: x\n", 0), (b"data: x\n\ndata: y", 9), (b"\ndata: x", 1)]
)
def test_without_a_carriage_return_no_pattern_is_searched(
    buffer: bytes, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "_BLANK_LINE", _Untouched())
    assert complete(buffer) == expected
