"""The echo's text completions. Source: OpenAI API reference, "Completions"."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.providers.echo.asked import Asked, Streamed, Whole, decode, whole
from lib.providers.echo.chunks import Choices, Chunks, StreamOptions, head, shown
from lib.providers.echo.errors import Refusal
from lib.providers.echo.text import NOTHING_SAID, Part, Piece, length, limit, pieces, tokens, whole_text
from lib.wire import to_openai

MAX_INPUTS = 2048


class _Request(msgspec.Struct):
    prompt: Any
    stream_options: StreamOptions | None = None
    n: Choices | None = None
    echo: Any = None


def completion(asked: Asked) -> Whole | Streamed:
    """Answer a completion: `n` choices for each prompt, each the prompt's own text."""
    request = decode(asked.body, _Request)
    prompts = inputs(request.prompt, "prompt")
    copies = request.n or 1
    # `echo: true` is OpenAI's own field here: the prompt comes back in front of the completion.
    parts = [_part(prompt, asked, with_prompt=request.echo is True) for prompt in prompts for _ in range(copies)]
    sizes = [length(part, asked.knobs.chunks) for part in parts]
    limit(sum(sizes))
    finish = asked.knobs.finish_reason or "stop"
    usage = asked.knobs.count(input_tokens(prompts), sum(map(tokens, sizes))) if asked.knobs.usage else None
    if asked.stream:
        chunks = Chunks(asked, "cmpl-", "text_completion", shown(usage, request.stream_options))
        return Streamed(_Writer(len(parts), finish, chunks), pieces(parts, asked.knobs.chunks))
    body = head(asked, "cmpl-", "text_completion")
    texts = (whole_text(part, asked.knobs.chunks) for part in parts)
    body["choices"] = [_choice(index, text, finish) for index, text in enumerate(texts)]
    if usage:
        body["usage"] = to_openai(usage)
    return whole(body)


def inputs(given: Any, param: str) -> list[str | list[int]]:
    """The texts or lists of tokens in an OpenAI input: one of them, or a list. Raises `Refusal` for anything else."""
    many = given if isinstance(given, list) and not (given and type(given[0]) is int) else [given]
    if not 1 <= len(many) <= MAX_INPUTS:
        raise Refusal(f"`{param}` must hold 1 to {MAX_INPUTS} inputs.", param)
    for one in many:
        if not (isinstance(one, str) or (isinstance(one, list) and one and all(type(item) is int for item in one))):
            raise Refusal(f"`{param}` must be a string, a list of strings, or tokens.", param)
    return many


def input_tokens(given: list[str | list[int]]) -> int:
    """How many tokens inputs have: tokens count themselves."""
    return sum(tokens(len(one)) if isinstance(one, str) else len(one) for one in given)


def _part(prompt: str | list[int], asked: Asked, *, with_prompt: bool) -> Part:
    text = prompt if isinstance(prompt, str) and prompt else NOTHING_SAID
    reply = text if asked.knobs.reply is None else asked.knobs.reply
    return Part(f"{prompt}{reply}" if with_prompt and isinstance(prompt, str) else reply)


def _choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


class _Writer:
    """A streamed completion, choice after choice."""

    def __init__(self, choices: int, finish: str, chunks: Chunks) -> None:
        self._choices = choices
        self._finish = finish
        self._chunks = chunks

    def opening(self) -> bytes:
        """Nothing: a completion begins with its text."""
        return b""

    def chunk(self, piece: Piece) -> bytes:
        """A piece of one choice's text."""
        return self._chunks.event(_choice(piece.slot, piece.text, None))

    def closing(self) -> bytes:
        """The reason for the end of each choice, then the usage if it was asked for."""
        ends = (self._chunks.event(_choice(index, "", self._finish)) for index in range(self._choices))
        return b"".join(ends) + self._chunks.end()

    def failing(self, status: int, message: str) -> bytes:
        """An error object in a `data` line."""
        return self._chunks.failing(status, message)
