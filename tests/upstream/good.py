"""Behaviours that are right, if unusual: what a client of these vendors must cope with."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.upstream.answers import right
from tests.upstream.recipe import Recipe
from tests.upstream.record import Call
from tests.upstream.steps import (
    LAST_CHUNK,
    Answer,
    Close,
    End,
    Send,
    Steps,
    Wait,
    chunk,
    deliver,
    event,
    framing,
    gzipped,
    head,
    place_of,
    until,
)

MOMENT = 0.005  # seconds between writes that should arrive apart


def ok(call: Call) -> Steps:
    """the right answer of the path: five fragments, usage when due"""
    return deliver(right(call))


def stream(call: Call, chunks: float = 5, gap: float = 0.0) -> Steps:
    """N fragments of text, SECONDS apart when streamed"""
    return deliver(right(call, Recipe(chunks=int(chunks), gap=gap)))


def big(call: Call, kib: float = 64) -> Steps:
    """the right answer with about KIB thousand characters of text"""
    return deliver(right(call, Recipe(chunks=int(kib), fragment_size=1000)))


def tools(call: Call) -> Steps:
    """two parallel tool calls, arguments in fragments when streamed"""
    return deliver(right(call, Recipe(tools=True)))


def cached(call: Call) -> Steps:
    """usage with cache reads, cache writes and reasoning tokens"""
    return deliver(right(call, Recipe(cached=True)))


def nousage(call: Call) -> Steps:
    """no usage, also when it was asked for"""
    return deliver(right(call, Recipe(usage=False)))


def length(call: Call) -> Steps:
    """the answer stopped at its token limit"""
    return deliver(right(call, Recipe(cut_short=True)))


def slow(call: Call, seconds: float = 1.0) -> Steps:
    """the head (and all that follows) is SECONDS late"""
    yield Wait(seconds)
    yield from deliver(right(call))


def slow_body(call: Call, seconds: float = 1.0) -> Steps:
    """the head at once, then SECONDS before the first byte of the body"""
    answer = right(call)
    yield Send(head(answer, framing(answer)), "head")
    yield Wait(seconds)
    yield from _rest(answer, answer.pieces)


def slow_middle(call: Call, seconds: float = 1.0) -> Steps:
    """SECONDS of silence in the middle of the body"""
    answer = right(call)
    yield from until(answer, 2)
    yield Wait(seconds)
    left = answer.pieces[place_of(answer, 2) :] if answer.streamed else (answer.body[len(answer.body) // 2 :],)
    yield from _rest(answer, left)


def gzip(call: Call) -> Steps:
    """Content-Encoding: gzip, flushed after each event"""
    return deliver(gzipped(right(call)))


def interim(call: Call) -> Steps:
    """100 Continue, which nobody asked for, before the answer"""
    yield Send(b"HTTP/1.1 100 Continue\r\n\r\n", "interim")
    yield Wait(MOMENT)
    yield from deliver(right(call))


def early_hints(call: Call) -> Steps:
    """103 Early Hints before the answer (RFC 8297)"""
    yield Send(b"HTTP/1.1 103 Early Hints\r\nLink: </status.css>; rel=preload\r\n\r\n", "interim")
    yield Wait(MOMENT)
    yield from deliver(right(call))


def crlf(call: Call) -> Steps:
    """events end their lines with CR LF"""
    answer = right(call)
    if not answer.streamed:
        return deliver(answer)
    return deliver(answer.with_pieces(*(piece.replace(b"\n", b"\r\n") for piece in answer.pieces)))


def multiline(call: Call) -> Steps:
    """each event's JSON over several data lines"""
    answer = right(call)
    if not answer.streamed:
        return deliver(answer)
    return deliver(answer.with_pieces(*map(_over_lines, answer.pieces)))


def comments(call: Call) -> Steps:
    """a comment line before each event, as some routers send while they wait"""
    answer = right(call)
    if not answer.streamed:
        return deliver(answer)
    return deliver(answer.with_pieces(*(b": STILL WORKING\n\n" + piece for piece in answer.pieces)))


def one_write(call: Call) -> Steps:
    """head, all events and the end of the body in a single write"""
    answer = right(call)
    if not answer.streamed:
        yield from deliver(answer)
        return
    framed = b"".join(map(chunk, answer.pieces)) + LAST_CHUNK
    yield Send(head(answer, framing(answer)) + framed, "event", answer.body)


def one_chunk(call: Call) -> Steps:
    """all events in a single chunk"""
    answer = right(call)
    return deliver(answer.with_pieces(answer.body))


def split(call: Call) -> Steps:
    """each event in two chunks and two writes"""
    answer = right(call)
    halves = [half for piece in answer.pieces for half in (piece[: len(piece) // 2], piece[len(piece) // 2 :])]
    return deliver(_apart(answer, halves))


def split_utf8(call: Call) -> Steps:
    """writes end in the middle of each multi-byte character"""
    answer = right(call)
    if answer.content_type.startswith("audio/"):
        return deliver(answer)
    return deliver(_apart(answer, re.findall(rb"[^\xc0-\xff]*[\xc0-\xff]?", answer.body)))


def bytewise(call: Call) -> Steps:
    """every byte in a chunk and a write of its own"""
    answer = right(call)
    return deliver(answer.with_pieces(*(answer.body[at : at + 1] for at in range(len(answer.body)))))


def trailers(call: Call) -> Steps:
    """chunk extensions and a trailer field after the last chunk"""
    answer = replace(right(call), streamed=True)
    yield Send(head(answer, framing(answer), ("Trailer", "x-checksum")), "head")
    for piece in answer.pieces:
        yield Send(b'%x;note="a;b"\r\n%s\r\n' % (len(piece), piece), "event", piece)
    yield Send(b"0\r\nx-checksum: 0\r\n\r\n")


def last_close(call: Call) -> Steps:
    """Connection: close, and the server means it"""
    yield from deliver(right(call).with_headers(("Connection", "close")))
    yield End()
    yield Close()


def idle_close(call: Call, seconds: float = 0.0) -> Steps:
    """the kept connection is closed SECONDS after the answer, unannounced"""
    yield from deliver(right(call))
    yield End()
    yield Wait(seconds)
    yield Close()


def no_length(call: Call) -> Steps:
    """neither length nor chunks: the body ends with the connection"""
    answer = right(call)
    yield Send(head(answer, ("Connection", "close")), "head")
    for piece in answer.pieces:
        yield Send(piece, "event" if answer.streamed else "body", piece)
    yield Close()


def http10(call: Call) -> Steps:
    """an HTTP/1.0 answer"""
    answer = right(call)
    yield Send(head(answer).replace(b"HTTP/1.1", b"HTTP/1.0", 1), "head")
    yield Send(answer.body, "body", answer.body)
    yield Close()


def _rest(answer: Answer, pieces: tuple[bytes, ...]) -> Steps:
    if not answer.streamed:
        yield Send(b"".join(pieces), "body", b"".join(pieces))
        return
    for piece in pieces[:-1]:
        yield event(piece)
    yield event(pieces[-1], LAST_CHUNK)


def _over_lines(piece: bytes) -> bytes:
    """JSON may be broken before a brace or after a comma between fields; neither occurs inside these texts."""
    return piece.replace(b',"', b',\ndata: "')


def _apart(answer: Answer, pieces: list[bytes]) -> Answer:
    """Chunked, in pieces with a moment between them."""
    kept = tuple(piece for piece in pieces if piece)
    return replace(answer, pieces=kept, streamed=True, first=1, gap=MOMENT)
