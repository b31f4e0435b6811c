"""What the two kinds of OpenAI completions share: the head of a body, the chunks of a stream."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lib.providers.echo.asked import Asked
from lib.providers.echo.errors import error_in_stream
from lib.wire import DONE, Usage, encode, to_openai

Choices = Annotated[int, Meta(ge=1, le=128)]
"""How many answers a request may ask for (`n`)."""


class StreamOptions(msgspec.Struct):
    """The one option that the echo reads."""

    include_usage: bool | None = None


def shown(usage: Usage | None, options: StreamOptions | None) -> Usage | None:
    """The usage that a stream ends with: only when it was asked for."""
    return usage if options and options.include_usage else None


def head(asked: Asked, prefix: str, kind: str) -> dict[str, Any]:
    """The fields that a completion and each of its chunks begin with. `prefix` is of the id, `kind` the object."""
    return {
        "id": asked.id(prefix),
        "object": kind,
        "created": asked.created,
        "model": asked.model,
        "system_fingerprint": "fp_echo",
    }


class Chunks:
    """Encodes chunks. With a usage every chunk but the last carries a null one, as OpenAI's do."""

    def __init__(self, asked: Asked, prefix: str, kind: str, usage: Usage | None) -> None:
        self._path = asked.path
        self._usage = usage
        self._head = head(asked, prefix, kind)
        self._tail: dict[str, Any] = {} if usage is None else {"usage": None}

    def event(self, choice: dict[str, Any]) -> bytes:
        """A chunk of one choice."""
        return encode(msgspec.json.encode({**self._head, "choices": [choice], **self._tail}))

    def end(self) -> bytes:
        """The usage if it was asked for, and the mark of the end."""
        if self._usage is None:
            return DONE
        return encode(msgspec.json.encode({**self._head, "choices": [], "usage": to_openai(self._usage)})) + DONE

    def failing(self, status: int, message: str) -> bytes:
        """An error object in a `data` line."""
        return error_in_stream(self._path, status, message)
