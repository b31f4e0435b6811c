"""What the echo reads in a conversation, how it counts, and how it cuts a reply into chunks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, NamedTuple

from lib.providers.echo.errors import Refusal

CHARACTERS_A_TOKEN = 4
MAX_REPLY = 64 * 1024 * 1024  # characters, all choices together
NOTHING_SAID = "echo"
_FRAGMENT = 8  # characters of JSON in a chunk
_WORD = re.compile(r"\s*\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a reply: text, or the call of a tool. `text` is then its arguments in JSON."""

    text: str
    tool: str | None = None
    id: str = ""
    json: bool = False


class Piece(NamedTuple):
    """One chunk of the part with index `slot`."""

    slot: int
    text: str


def tokens(characters: int) -> int:
    """The echo's estimate: four characters a token, rounded up."""
    return -(-characters // CHARACTERS_A_TOKEN)


def text_of(content: Any) -> str:
    """The text in a message's content, in any dialect: a string, or the texts of its parts with a line break between.

    A tool's result counts with its own content; images, files and calls hold no text.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        for key in ("text", "content", "output"):
            if isinstance(content.get(key), str | list):
                return text_of(content[key])
        return ""
    if isinstance(content, list):
        return "\n".join(text for text in map(text_of, content) if text)
    return ""


def pieces(parts: Sequence[Part], chunks: int | None) -> Iterator[Piece]:
    """A reply in chunks, one after the other. Every part has at least one."""
    for slot, part in enumerate(parts):
        cut = _fragments(part.text, chunks) if part.json else _words(part.text, chunks)
        for text in cut:
            yield Piece(slot, text)


def whole_text(part: Part, chunks: int | None) -> str:
    """What the chunks of a part add up to."""
    return part.text if part.json or chunks is None else "".join(_words(part.text, chunks))


def length(part: Part, chunks: int | None) -> int:
    """How many characters `whole_text` has, without making it."""
    if part.json or chunks is None or not part.text:
        return len(part.text)
    words = _circle(part.text)
    if chunks <= len(words):
        return len(part.text)
    rounds, more = divmod(chunks, len(words))
    return rounds * sum(map(len, words)) + sum(map(len, words[:more]))


def limit(characters: int) -> None:
    """Raise `Refusal` for a reply that is too long to be held in memory."""
    if characters > MAX_REPLY:
        raise Refusal(f"The reply would be longer than {MAX_REPLY} characters.")


def _words(text: str, chunks: int | None) -> Iterable[str]:
    """A word a chunk with the space after it; or `chunks` chunks, of several words each or going round in a circle."""
    if not text:
        return [""]
    if chunks is None:
        return (match[0] for match in _WORD.finditer(text))
    words = _WORD.findall(text)
    if chunks > len(words):
        return islice(cycle(_circle(text)), chunks)
    return ("".join(words[start:end]) for start, end in _spans(len(words), chunks))


def _circle(text: str) -> list[str]:
    """The words of a text, each with a space after it, so that the first may follow the last."""
    return _WORD.findall(text if text[-1].isspace() else text + " ")


def _fragments(text: str, chunks: int | None) -> Iterable[str]:
    """JSON in equal fragments; no more of them than it has characters."""
    wanted = chunks or -(-len(text) // _FRAGMENT)
    return (text[start:end] for start, end in _spans(len(text), max(1, min(wanted, len(text)))))


def _spans(size: int, count: int) -> Iterator[tuple[int, int]]:
    """`size` things shared out among `count` spans, as evenly as can be."""
    for index in range(count):
        yield index * size // count, (index + 1) * size // count
