"""One request as every part of the echo sees it, and the two forms an answer takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import msgspec

from lib.providers.echo.errors import Refusal
from lib.providers.echo.form import Form
from lib.providers.echo.knobs import Knobs
from lib.providers.echo.text import Piece, tokens
from lib.wire import Path, Usage

JSON = "application/json"
_AT = re.compile(r" - at `\$\.(\w+)")
_MISSING = re.compile(r"missing required field `(\w+)`$")
_Body = TypeVar("_Body")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `seed` is a hash of it in hexadecimal, `created` the time of the call in seconds since 1970."""

    path: Path
    model: str
    body: bytes
    form: Form | None
    stream: bool
    knobs: Knobs
    seed: str
    created: int

    def id(self, prefix: str, index: int = 0) -> str:
        """An identifier: the same for the same request, another for each index."""
        return f"{prefix}{self.seed[:28]}{index:04x}"

    def usage(self, prompt: int, reply: int) -> Usage | None:
        """The usage of a call with so many characters; None when the caller turned it off."""
        return self.knobs.count(tokens(prompt), tokens(reply)) if self.knobs.usage else None


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer in one piece."""

    body: bytes
    content_type: str = JSON


class Writer(Protocol):
    """Writes one stream of events in one dialect."""

    def opening(self) -> bytes:
        """The events before any content."""

    def chunk(self, piece: Piece) -> bytes:
        """The events of one chunk, those that open its part included."""

    def closing(self) -> bytes:
        """The events after the last chunk."""

    def failing(self, status: int, message: str) -> bytes:
        """The event that ends the stream with an error instead."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer in events."""

    writer: Writer
    pieces: Iterator[Piece]


def whole(body: dict[str, Any]) -> Whole:
    """A JSON answer in one piece."""
    return Whole(msgspec.json.encode(body))


def decode(raw: bytes, kind: type[_Body]) -> _Body:
    """A request's body. Raises `Refusal` naming the field that is missing or of another type."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        message = str(error)
        found = _AT.search(message) or _MISSING.search(message)
        raise Refusal(f"{message}.", found[1] if found else None) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal("The request body must be a JSON object in UTF-8.") from None
