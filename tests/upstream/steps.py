"""The steps a behaviour is made of, and the framing of HTTP/1.1 answers (RFC 9112)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus

from tests.upstream.record import Call, Kind

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Write `data` in one go. `payload` is the part of the answer's body in it."""

    data: bytes
    kind: Kind = "raw"
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds, unless the client leaves."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hang:
    """Be silent until the client leaves."""


@dataclass(frozen=True, slots=True)
class End:
    """The answer is complete; what follows happens to an idle connection."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection in an orderly way (FIN)."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Reset the connection (RST)."""


Step = Send | Wait | Hang | End | Close | Cut
Steps = Iterator[Step]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one call gets. An `early` one is played before the request's body is read."""

    name: str
    play: Callable[[Call], Steps]
    early: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A correct answer before it is framed.

    A streamed one goes out chunked, one write for each piece; `first` is the
    index of the first piece with content and `gap` the seconds before each
    piece from there on. A whole one has a Content-Length.
    """

    pieces: tuple[bytes, ...]
    content_type: str = "application/json"
    status: int = 200
    headers: Headers = ()
    streamed: bool = False
    first: int = 0
    gap: float = 0.0

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces)

    def with_pieces(self, *pieces: bytes) -> Answer:
        """The same answer in other pieces."""
        return replace(self, pieces=pieces)

    def with_headers(self, *headers: tuple[str, str]) -> Answer:
        """The same answer with more headers."""
        return replace(self, headers=(*self.headers, *headers))


def head(answer: Answer, *framing: tuple[str, str]) -> bytes:
    """The status line and the headers, ending in an empty line."""
    reason = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Site is overloaded"
    fields = (("Content-Type", answer.content_type), *answer.headers, *framing)
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode()


def framing(answer: Answer) -> tuple[str, str]:
    """The header that says where the body ends."""
    return ("Transfer-Encoding", "chunked") if answer.streamed else ("Content-Length", str(len(answer.body)))


def chunk(payload: bytes) -> bytes:
    """One chunk (RFC 9112, section 7.1)."""
    return b"%x\r\n%s\r\n" % (len(payload), payload)


LAST_CHUNK = b"0\r\n\r\n"


def event(payload: bytes, tail: bytes = b"") -> Send:
    """A chunk as a step of its own, with `tail` in the same write."""
    return Send(chunk(payload) + tail, "event", payload)


def deliver(answer: Answer) -> Steps:
    """The answer as it should be sent. The last event and the end of the body share a write."""
    if not answer.streamed:
        yield Send(head(answer, framing(answer)) + answer.body, "body", answer.body)
        return
    yield Send(head(answer, framing(answer)), "head")
    yield from events(answer, len(answer.pieces) - 1)
    yield event(answer.pieces[-1], LAST_CHUNK)


def events(answer: Answer, count: int) -> Steps:
    """The first `count` pieces of a streamed answer, chunked, with their gaps."""
    for index, piece in enumerate(answer.pieces[:count]):
        if answer.gap and index >= answer.first:
            yield Wait(answer.gap)
        yield event(piece)


def place_of(answer: Answer, count: int) -> int:
    """The index of the piece that follows `count` pieces with content; at most the last one's."""
    return min(answer.first + count, len(answer.pieces) - 1)


def until(answer: Answer, count: int) -> Steps:
    """The head and `count` pieces with content; of a whole answer the head and half of the body."""
    yield Send(head(answer, framing(answer)), "head")
    if answer.streamed:
        yield from events(answer, place_of(answer, count))
    else:
        half = answer.body[: len(answer.body) // 2]
        yield Send(half, "body", half)


def gzipped(answer: Answer) -> Answer:
    """The answer with Content-Encoding gzip (RFC 1952), flushed after each piece."""
    squeeze = zlib.compressobj(wbits=31)
    packed = [squeeze.compress(piece) + squeeze.flush(zlib.Z_SYNC_FLUSH) for piece in answer.pieces]
    packed[-1] += squeeze.flush()
    return answer.with_pieces(*packed).with_headers(("Content-Encoding", "gzip"))
