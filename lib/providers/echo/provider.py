"""The built-in provider: its one class. The package's docstring says how it answers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from lib.providers.base import Outgoing
from lib.providers.echo.answer import EchoAnswer, Script, play
from lib.providers.echo.asked import Asked, Streamed, Whole, decode
from lib.providers.echo.chat import chat
from lib.providers.echo.completions import completion
from lib.providers.echo.errors import Refusal, asked_to_fail, error_body
from lib.providers.echo.form import Form, read_form
from lib.providers.echo.knobs import Knobs, read_knobs
from lib.providers.echo.media import images, speech
from lib.providers.echo.messages import count_tokens, message
from lib.providers.echo.responses import response
from lib.providers.echo.transcripts import transcription
from lib.providers.echo.vectors import embed, embeddings, moderation
from lib.wire import Dialect, Path, Shape

_ANSWERS: Mapping[Shape, Callable[[Asked], Whole | Streamed]] = {
    Shape.CHAT: chat,
    Shape.COMPLETION: completion,
    Shape.RESPONSE: response,
    Shape.EMBEDDING: embeddings,
    Shape.EMBED: embed,
    Shape.MODERATION: moderation,
    Shape.IMAGE: images,
    Shape.SPEECH: speech,
    Shape.TRANSCRIPTION: transcription,
    Shape.MESSAGE: message,
    Shape.TOKEN_COUNT: count_tokens,
}
_EVENTS = "text/event-stream; charset=utf-8"


class _Body(msgspec.Struct):
    echo: Any = None


class EchoProvider:
    """Answers everything by itself. `clock` gives seconds since 1970, for the times in answers."""

    asks_for_usage = True
    token_limit = "max_completion_tokens"
    rests = False
    takes_callers_key = False

    def __init__(self, name: str = "echo", clock: Callable[[], float] = time.time) -> None:
        self.name = name
        self._clock = clock

    def maker(self, model: str) -> str:
        """Itself."""
        return self.name

    def dialect(self, path: Path) -> Dialect | None:
        """Its own dialect, for every path."""
        return path.dialect

    def send(self, outgoing: Outgoing) -> EchoAnswer:
        """Prepare the answer; the body is not read before `start`."""
        return EchoAnswer(lambda: _compose(outgoing, int(self._clock())))


def _compose(outgoing: Outgoing, created: int) -> Script:
    """The answer to one request, a refusal of it included."""
    seed = hashlib.sha256(outgoing.path.route.encode()).hexdigest()
    try:
        body, form, seed = _read(outgoing)
        knobs = _knobs(outgoing, body, form)
        if knobs.error is not None and knobs.error_after is None:
            return _failure(outgoing, seed, knobs)
        asked = Asked(
            path=outgoing.path,
            model=outgoing.model or "echo",
            body=body,
            form=form,
            stream=outgoing.path.streams and outgoing.stream,
            knobs=knobs,
            seed=seed,
            created=created,
        )
        answer = _ANSWERS[outgoing.path.shape](asked)
    except Refusal as refusal:
        body = error_body(outgoing.path.dialect, 400, refusal.message, refusal.param, _request_id(seed))
        return _script(outgoing, seed, Whole(body), Knobs(), 400)
    return _script(outgoing, seed, answer, knobs, 200)


def _read(outgoing: Outgoing) -> tuple[bytes, Form | None, str]:
    """The body, or what a form held, and a hash of it."""
    pieces: Iterable[bytes] = [outgoing.body] if isinstance(outgoing.body, bytes) else outgoing.body
    if outgoing.path.multipart:
        form = read_form(outgoing.content_type, pieces)
        return b"", form, form.seed
    body = b"".join(pieces)
    return body, None, hashlib.sha256(outgoing.path.route.encode() + body).hexdigest()


def _knobs(outgoing: Outgoing, body: bytes, form: Form | None) -> Knobs:
    if form is not None:
        return read_knobs(outgoing.model, form=form.knobs())
    given = decode(body, _Body).echo
    if outgoing.path.shape is Shape.COMPLETION and isinstance(given, bool):
        given = None  # OpenAI's own field of that name
    return read_knobs(outgoing.model, given)


def _failure(outgoing: Outgoing, seed: str, knobs: Knobs) -> Script:
    status = knobs.error or 500
    body = error_body(outgoing.path.dialect, status, asked_to_fail(status), None, _request_id(seed))
    return _script(outgoing, seed, Whole(body), knobs, status)


def _request_id(seed: str) -> str:
    return f"req_{seed[:24]}"


def _script(outgoing: Outgoing, seed: str, answer: Whole | Streamed, knobs: Knobs, status: int) -> Script:
    """The head of an answer and its steps."""
    anthropic = outgoing.path.dialect is Dialect.ANTHROPIC
    headers = [("request-id" if anthropic else "x-request-id", _request_id(seed))]
    if isinstance(answer, Whole):
        headers += [("content-type", answer.content_type), ("content-length", str(len(answer.body)))]
    else:
        headers += [("content-type", _EVENTS), ("cache-control", "no-cache")]
    if knobs.retry_after is not None:
        headers.append(("retry-after", f"{knobs.retry_after:g}"))
    return Script(status, headers, knobs.delay, play(answer, knobs))
