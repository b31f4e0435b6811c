"""Cutting a stream into whole events: any cut gives the same bytes, and no cut falls within an event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import VendorProtocolError
from lib.gateway.whole_events import MAX_EVENT, WholeEvents
from lib.wire import complete, events

lines = st.sampled_from([b"data: x", b"data: {}", b"event: e", b": ping", b"", b"\xc3\xbc"])
endings = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, endings).map(b"".join), max_size=30).map(b"".join)


def fed(raw: bytes, cuts: list[int]) -> tuple[list[bytes], bytes]:
    """What comes out, and what is kept back at the end."""
    places = sorted({cut for cut in cuts if 0 < cut < len(raw)})
    whole = WholeEvents()
    out = [whole.feed(raw[a:b]) for a, b in zip([0, *places], [*places, len(raw)], strict=True) if a < b]
    return out, whole.tail


@given(streams, st.lists(st.integers(0, 300), max_size=20))
def test_nothing_is_lost_and_nothing_is_halved(raw: bytes, cuts: list[int]) -> None:
    out, tail = fed(raw, cuts)
    assert b"".join(out) + tail == raw
    assert [each for block in out for each in events(block)] == list(events(raw))
    for block in out:
        assert complete(block) == len(block)


@given(streams)
def test_byte_for_byte(raw: bytes) -> None:
    out, tail = fed(raw, list(range(len(raw))))
    assert b"".join(out) + tail == raw
    assert [each for block in out for each in events(block)] == list(events(raw))


@pytest.mark.parametrize("raw", [b"data: a\n\n", b"data: a\r\n\r\n", b"data: a\r\r", b": ping\n\ndata: a\n\n"])
def test_what_is_whole_goes_out_as_it_is(raw: bytes) -> None:
    assert WholeEvents().feed(raw) is raw


def test_the_beginning_of_an_event_waits_for_its_end() -> None:
    whole = WholeEvents()
    assert whole.feed(b"data: a\n\ndata: b") == b"data: a\n\n"
    assert whole.tail == b"data: b"
    assert whole.feed(b"\n") == b""
    assert whole.feed(b"\ndata: c\n\nda") == b"data: b\n\ndata: c\n\n"
    assert whole.tail == b"da"


def test_an_event_without_end_is_given_up() -> None:
    whole = WholeEvents()
    size = 0
    with pytest.raises(VendorProtocolError):
        while True:
            assert whole.feed(b"data: " + b"a" * 65536) == b""
            size += 65536
    assert MAX_EVENT - 65536 <= size <= MAX_EVENT


def test_a_large_event_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0

    def count(block: bytes) -> int:
        nonlocal looked_at
        looked_at += len(block)
        return complete(block)

    monkeypatch.setattr("lib.gateway.whole_events.complete", count)
    whole = WholeEvents()
    pieces = [b"data: " + b"a" * 16384] * 200
    out = [whole.feed(piece) for piece in [*pieces, b"\n\n"]]
    assert sum(map(len, out)) == sum(map(len, pieces)) + 2
    assert looked_at < 2 * sum(map(len, pieces))
