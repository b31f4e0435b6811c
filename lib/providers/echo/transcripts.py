"""The echo's transcriptions. Source: OpenAI API reference, "Create transcription" and its streaming events."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.providers.echo.asked import Asked, Streamed, Whole, whole
from lib.providers.echo.errors import Refusal, error_in_stream
from lib.providers.echo.text import Part, Piece, length, limit, pieces, tokens, whole_text
from lib.wire import encode

_BYTES_A_TOKEN = 1024


def transcription(asked: Asked) -> Whole | Streamed:
    """Answer with a text that names the file and its size in bytes: the sound itself is not looked at."""
    form = asked.form
    if form is None or form.file_name is None:
        raise Refusal("`file` is required.", "file")
    text = asked.knobs.reply
    part = Part(f"Received {form.file_name}, {form.file_size} bytes." if text is None else text)
    limit(length(part, asked.knobs.chunks))
    usage = _usage(asked, part, form.file_size)
    if asked.stream:
        return Streamed(_Writer(asked, usage), pieces([part], asked.knobs.chunks))
    return _whole(form.fields.get("response_format", "json"), whole_text(part, asked.knobs.chunks), usage)


def _whole(kind: str, text: str, usage: dict[str, Any] | None) -> Whole:
    counted = {"usage": usage} if usage else {}
    if kind == "text":
        return Whole(text.encode() + b"\n", "text/plain; charset=utf-8")
    if kind == "json":
        return whole({"text": text, **counted})
    if kind == "verbose_json":
        return whole({"task": "transcribe", "language": "english", "duration": 0.0, "text": text, "segments": []})
    raise Refusal("The echo writes transcriptions as json, verbose_json or text.", "response_format")


def _usage(asked: Asked, part: Part, size: int) -> dict[str, Any] | None:
    """A token for each KiB of sound, and the text's tokens."""
    if not asked.knobs.usage:
        return None
    usage = asked.knobs.count(-(-size // _BYTES_A_TOKEN), tokens(length(part, asked.knobs.chunks)))
    prompt = usage.prompt_tokens
    return {
        "type": "tokens",
        "input_tokens": prompt,
        "input_token_details": {"text_tokens": 0, "audio_tokens": prompt},
        "output_tokens": usage.output_tokens,
        "total_tokens": prompt + usage.output_tokens,
    }


class _Writer:
    """A streamed transcription."""

    def __init__(self, asked: Asked, usage: dict[str, Any] | None) -> None:
        self._asked = asked
        self._usage = usage
        self._sent: list[str] = []

    def opening(self) -> bytes:
        """Nothing."""
        return b""

    def chunk(self, piece: Piece) -> bytes:
        """A piece of the text."""
        self._sent.append(piece.text)
        return _event({"type": "transcript.text.delta", "delta": piece.text})

    def closing(self) -> bytes:
        """The whole text and the usage."""
        counted = {"usage": self._usage} if self._usage else {}
        return _event({"type": "transcript.text.done", "text": "".join(self._sent), **counted})

    def failing(self, status: int, message: str) -> bytes:
        """An error object in a `data` line."""
        return error_in_stream(self._asked.path, status, message)


def _event(body: dict[str, Any]) -> bytes:
    return encode(msgspec.json.encode(body))
