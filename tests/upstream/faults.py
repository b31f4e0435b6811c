"""Behaviours that break the protocol: silence, cuts, junk, things without end."""

from __future__ import annotations

from itertools import count

from tests.upstream.answers import right
from tests.upstream.record import Call
from tests.upstream.steps import (
    LAST_CHUNK,
    Answer,
    Close,
    Cut,
    Hang,
    Send,
    Steps,
    Wait,
    chunk,
    deliver,
    event,
    framing,
    head,
    place_of,
    until,
)

MOMENT = 0.05  # seconds for the client to read what was sent, before the connection is reset
ENOUGH = 64 << 20  # bytes after which something endless ends, in case that nobody minds


def silent(call: Call) -> Steps:
    """reads the request and never answers"""
    yield Hang()


def silent_head(call: Call) -> Steps:
    """the head, then silence"""
    answer = right(call)
    yield Send(head(answer, framing(answer)), "head")
    yield Hang()


def silent_stream(call: Call, chunks: float = 2) -> Steps:
    """N events with content (or half of a whole body), then silence"""
    yield from until(right(call), int(chunks))
    yield Hang()


def silent_half(call: Call, chunks: float = 2) -> Steps:
    """N events with content and half of another, then silence"""
    yield from _half_event(call, int(chunks))
    yield Hang()


def close_half(call: Call, chunks: float = 2) -> Steps:
    """N events with content and half of another, then a well-framed end"""
    yield from _half_event(call, int(chunks))
    if right(call).streamed:
        yield Send(LAST_CHUNK)
    yield Close()


def cut(call: Call) -> Steps:
    """a reset before any answer"""
    yield Cut()


def close(call: Call) -> Steps:
    """an orderly close before any answer"""
    yield Close()


def cut_head(call: Call) -> Steps:
    """a reset in the middle of the head"""
    yield from _half_head(call)
    yield Wait(MOMENT)
    yield Cut()


def close_head(call: Call) -> Steps:
    """an orderly close in the middle of the head"""
    yield from _half_head(call)
    yield Close()


def cut_body(call: Call, chunks: float = 2) -> Steps:
    """a reset after N events with content (or half of a whole body)"""
    yield from until(right(call), int(chunks))
    yield Wait(MOMENT)
    yield Cut()


def close_body(call: Call, chunks: float = 2) -> Steps:
    """an orderly close after N events with content (or half of a whole body), framing unfinished"""
    yield from until(right(call), int(chunks))
    yield Close()


def cut_chunk(call: Call, chunks: float = 2) -> Steps:
    """a reset in the middle of a chunk"""
    yield from _half_chunk(call, int(chunks))
    yield Wait(MOMENT)
    yield Cut()


def close_chunk(call: Call, chunks: float = 2) -> Steps:
    """an orderly close in the middle of a chunk"""
    yield from _half_chunk(call, int(chunks))
    yield Close()


def no_end(call: Call) -> Steps:
    """every event, then silence where the last chunk belongs"""
    yield from _all_but_end(call)
    yield Hang()


def close_end(call: Call) -> Steps:
    """every event, then an orderly close where the last chunk belongs"""
    yield from _all_but_end(call)
    yield Close()


def no_done(call: Call) -> Steps:
    """a stream that ends well-framed but without its last event"""
    answer = right(call)
    return deliver(answer.with_pieces(*answer.pieces[:-1]) if answer.streamed else answer)


def long_length(call: Call) -> Steps:
    """Content-Length larger than the body, then an orderly close"""
    body = right(call).body
    yield Send(head(right(call), ("Content-Length", str(len(body) + 100))) + body, "body", body)
    yield Close()


def short_length(call: Call) -> Steps:
    """Content-Length smaller than the body: the connection is full of leftovers"""
    body = right(call).body
    yield Send(head(right(call), ("Content-Length", str(len(body) - 10))) + body, "body", body)


def two_lengths(call: Call) -> Steps:
    """two Content-Length headers that disagree"""
    body = right(call).body
    lengths = (("Content-Length", str(len(body))), ("Content-Length", "7"))
    yield Send(head(right(call), *lengths) + body, "body", body)
    yield Close()


def junk_status(call: Call) -> Steps:
    """a status line that is none"""
    yield Send(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n")
    yield Close()


def junk_header(call: Call) -> Steps:
    """a header line without a colon, with control bytes"""
    answer = right(call)
    yield Send(head(answer, framing(answer)).replace(b"\r\n", b"\r\n\x00\x07 no colon \xff\r\n", 1) + answer.body)
    yield Close()


def junk_chunk(call: Call, chunks: float = 2) -> Steps:
    """a chunk size that is no number"""
    yield from until(right(call), int(chunks))
    yield Send(b"zz\r\nnot a chunk\r\n")
    yield Close()


def junk_event(call: Call, chunks: float = 2) -> Steps:
    """an event whose data is not JSON, then the rest as usual"""
    answer = right(call)
    place = place_of(answer, int(chunks))
    return deliver(answer.with_pieces(*answer.pieces[:place], b'data: {"id": nonsense\n\n', *answer.pieces[place:]))


def endless_header(call: Call) -> Steps:
    """one header line that never ends"""
    yield Send(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    yield from _forever(b"a" * 16384)


def endless_headers(call: Call) -> Steps:
    """header lines without end"""
    yield Send(b"HTTP/1.1 200 OK\r\n")
    yield from _forever(b"X-Filler: lorem\r\n" * 1000)


def endless_line(call: Call) -> Steps:
    """a stream whose data line never ends"""
    answer = Answer((), "text/event-stream", streamed=True)
    yield Send(head(answer, framing(answer)), "head")
    yield Send(chunk(b'data: {"id": "'))
    yield from _forever(chunk(b"a" * 16384))


def endless_body(call: Call) -> Steps:
    """a JSON body that never ends"""
    answer = Answer((), streamed=True)
    yield Send(head(answer, framing(answer)), "head")
    yield Send(chunk(b'{"id": "'))
    yield from _forever(chunk(b"a" * 16384))


def _half_head(call: Call) -> Steps:
    whole = head(right(call), framing(right(call)))
    yield Send(whole[: len(whole) // 2])


def _half_event(call: Call, chunks: int) -> Steps:
    answer = right(call)
    yield from until(answer, chunks)
    if answer.streamed:
        piece = answer.pieces[place_of(answer, chunks)]
        yield event(piece[: len(piece) // 2])


def _half_chunk(call: Call, chunks: int) -> Steps:
    answer = right(call)
    yield from until(answer, chunks)
    if answer.streamed:
        piece = answer.pieces[place_of(answer, chunks)]
        yield Send(chunk(piece)[: len(piece) // 2], "raw")


def _all_but_end(call: Call) -> Steps:
    answer = right(call)
    yield Send(head(answer, ("Transfer-Encoding", "chunked")), "head")
    for piece in answer.pieces:
        yield event(piece)


def _forever(data: bytes) -> Steps:
    for size in count(0, len(data)):
        if size > ENOUGH:
            break
        yield Send(data)
    yield Close()
