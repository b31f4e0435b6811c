"""A stand-in for Amazon Bedrock's runtime that misbehaves on purpose.

    with BedrockUpstream() as upstream:
        upstream.plan("error-429", "silent-stream-2")
        ...
        upstream.wait(lambda seen: seen.cancelled)

Give boto3 its `url` as the endpoint. Behaviours that `Upstream` has as well go
by the same names and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from tests.upstream.bedrock_answers import (
    converse,
    converse_stream,
    count_tokens,
    error,
    error_event,
    model_of,
)
from tests.upstream.book import Book
from tests.upstream.event_stream import event
from tests.upstream.recipe import Recipe
from tests.upstream.record import Call
from tests.upstream.server import Upstream
from tests.upstream.steps import (
    LAST_CHUNK,
    Answer,
    Behaviour,
    Close,
    Cut,
    Hang,
    Send,
    Steps,
    Wait,
    deliver,
    framing,
    head,
    until,
)
from tests.upstream.steps import event as chunk_of

MOMENT = 0.05  # seconds for the client to read what was sent, before the connection is reset
PAGE = b"<html><head><title>503</title></head><body><h1>503</h1></body></html>\r\n"

MAKERS: tuple[tuple[str, Callable[[Call, Recipe], Answer]], ...] = (
    ("/converse", converse),
    ("/converse-stream", converse_stream),
    ("/count-tokens", count_tokens),
)


class BedrockUpstream(Upstream):
    """Bedrock's runtime on a loopback port; see `Upstream`.

    What a call gets: the next planned behaviour; else the one that its model
    id asks for; else the right answer of its path.
    """

    def __init__(self, observe: Callable[[Call], None] | None = None) -> None:
        super().__init__(observe=observe)
        self._book = BedrockBook(observe)

    def plan(self, *behaviours: str | Behaviour) -> None:
        """Queue what the next calls get, one each. Raises `ValueError` for a name that is unknown."""
        super().plan(*(named(item) if isinstance(item, str) else item for item in behaviours))


class BedrockBook(Book):
    """A book that finds the model in the path."""

    def behaviour(self, call: Call) -> Behaviour:
        """The behaviour that the call's model id asks for; the right answer for any other id."""
        return _find(model_of(call).rpartition("/")[2]) or named("ok")


def named(name: str) -> Behaviour:
    """The behaviour of that name, numbers included. Raises `ValueError` when there is none."""
    found = _find(name)
    if found is None:
        raise ValueError(f"no behaviour of Bedrock is called {name!r}")
    return found


def _find(name: str) -> Behaviour | None:
    match = re.fullmatch(r"([a-z][a-z-]*?)((?:-\d+(?:\.\d+)?)*)", name)
    play = ROWS.get(match[1]) if match else None
    if match is None or play is None:
        return None
    numbers = [float(number) for number in match[2].split("-")[1:]]
    return Behaviour(name, lambda call: play(call, *numbers))


def right(call: Call, recipe: Recipe = Recipe()) -> Answer:
    """The right answer of the path; the service's 404 or 400 when there is none."""
    maker = next((make for ending, make in MAKERS if call.route.endswith(ending)), None)
    if maker is None or call.method != "POST" or not model_of(call):
        return error(call, 404, "Unknown operation.")
    return maker(call, recipe) if call.json else error(call, 400, "The request body is not JSON.")


# ---- behaviours ----


def stream(call: Call, chunks: float = 5, gap: float = 0.0) -> Steps:
    """the right answer: N fragments of text, SECONDS apart when streamed"""
    return deliver(right(call, Recipe(chunks=int(chunks), gap=gap)))


def tools(call: Call) -> Steps:
    """two parallel tool calls, arguments in fragments when streamed"""
    return deliver(right(call, Recipe(tools=True)))


def cached(call: Call) -> Steps:
    """usage with cache reads and cache writes"""
    return deliver(right(call, Recipe(cached=True)))


def length(call: Call) -> Steps:
    """the answer stopped at its token limit"""
    return deliver(right(call, Recipe(cut_short=True)))


def slow(call: Call, seconds: float = 1.0) -> Steps:
    """the head (and all that follows) is SECONDS late"""
    yield Wait(seconds)
    yield from deliver(right(call))


def bytewise(call: Call) -> Steps:
    """every byte in a chunk of its own"""
    answer = right(call)
    return deliver(answer.with_pieces(*(answer.body[at : at + 1] for at in range(len(answer.body)))))


def newer(call: Call) -> Steps:
    """a stream with an event that the service's model does not know yet"""
    answer = right(call)
    place = answer.first + 1
    return deliver(answer.with_pieces(*answer.pieces[:place], event("somethingNew", {"a": 1}), *answer.pieces[place:]))


def silent(call: Call) -> Steps:
    """reads the request and never answers"""
    yield Hang()


def silent_head(call: Call) -> Steps:
    """the head, then silence"""
    yield Send(head(right(call), framing(right(call))), "head")
    yield Hang()


def silent_stream(call: Call, chunks: float = 2) -> Steps:
    """N events with content (or half of a whole body), then silence"""
    yield from until(right(call), int(chunks))
    yield Hang()


def close(call: Call) -> Steps:
    """an orderly close before any answer"""
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


def close_half(call: Call, chunks: float = 2) -> Steps:
    """N events with content and half of another message, then a well-framed end"""
    answer = right(call)
    yield from until(answer, int(chunks))
    if answer.streamed:
        piece = answer.pieces[answer.first + int(chunks)]
        yield chunk_of(piece[: len(piece) // 2], LAST_CHUNK)
    else:
        yield Close()


def no_done(call: Call) -> Steps:
    """a stream that ends well-framed but before messageStop"""
    answer = right(call)
    return deliver(answer.with_pieces(*answer.pieces[:-2]) if answer.streamed else answer)


def no_metadata(call: Call) -> Steps:
    """a stream that ends well-framed after messageStop, without usage"""
    answer = right(call)
    return deliver(answer.with_pieces(*answer.pieces[:-1]) if answer.streamed else answer)


def junk_event(call: Call, chunks: float = 2) -> Steps:
    """a message whose checksum is wrong, then the rest as usual"""
    answer = right(call)
    place = answer.first + int(chunks)
    broken = answer.pieces[place][:-1] + bytes([answer.pieces[place][-1] ^ 1])
    return deliver(answer.with_pieces(*answer.pieces[:place], broken, *answer.pieces[place + 1 :]))


def error_status(call: Call, status: float = 500) -> Steps:
    """STATUS with the exception that usually has it"""
    return deliver(error(call, int(status)))


def error_after(call: Call, chunks: float = 2, status: float = 503) -> Steps:
    """N events with content, then an exception as the last event"""
    answer = right(call)
    if not answer.streamed:
        return deliver(error(call, int(status)))
    kept = answer.pieces[: answer.first + int(chunks)]
    return deliver(answer.with_pieces(*kept, error_event(int(status))))


def error_first(call: Call, status: float = 503) -> Steps:
    """200, and the first event is an exception"""
    answer = right(call)
    return deliver(answer.with_pieces(error_event(int(status))) if answer.streamed else error(call, int(status)))


def retry_after(call: Call, seconds: float = 1, status: float = 429) -> Steps:
    """429 (or STATUS) with Retry-After: SECONDS"""
    return deliver(error(call, int(status)).with_headers(("Retry-After", f"{seconds:g}")))


def html(call: Call, status: float = 503) -> Steps:
    """STATUS with a web page, as a balancer in front of the service sends"""
    return deliver(Answer((PAGE,), "text/html", status=int(status)))


def not_json(call: Call) -> Steps:
    """200 and a body that is cut in the middle of the JSON; a stream gets it too"""
    body = right(call).body
    return deliver(replace(right(call), pieces=(body[: len(body) // 2],), streamed=False))


def empty(call: Call, status: float = 200) -> Steps:
    """STATUS with an empty body"""
    return deliver(Answer((b"",), status=int(status)))


def refusal(kind: str, status: int, words: str | None = None, **headers: str) -> Behaviour:
    """An error of any name, status, wording and further headers, for `plan`."""
    extra = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Behaviour(f"refusal {kind}", lambda call: deliver(error(call, status, words, kind).with_headers(*extra)))


def broken_off(last: bytes, chunks: int = 2) -> Behaviour:
    """A stream whose last message, after so many events with content, is `last`. For `plan`."""

    def play(call: Call) -> Steps:
        answer = right(call)
        return deliver(answer.with_pieces(*answer.pieces[: answer.first + chunks], last))

    return Behaviour("broken off", play)


ROWS: dict[str, Callable[..., Steps]] = {
    "ok": stream,
    "stream": stream,
    "tools": tools,
    "cached": cached,
    "length": length,
    "slow": slow,
    "bytewise": bytewise,
    "newer": newer,
    "silent": silent,
    "silent-head": silent_head,
    "silent-stream": silent_stream,
    "close": close,
    "cut-body": cut_body,
    "close-body": close_body,
    "close-half": close_half,
    "no-done": no_done,
    "no-metadata": no_metadata,
    "junk-event": junk_event,
    "error": error_status,
    "error-after": error_after,
    "error-first": error_first,
    "retry-after": retry_after,
    "html": html,
    "not-json": not_json,
    "empty": empty,
}
