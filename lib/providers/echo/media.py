"""The echo's images and speech. Source: OpenAI API reference, "Create image", "Image streaming", "Create speech"."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lib.providers.echo.asked import Asked, Streamed, Whole, decode, whole
from lib.providers.echo.errors import error_in_stream
from lib.providers.echo.text import Piece
from lib.wire import Usage, encode

_TOKENS_AN_IMAGE = 1
_RATE = 24_000  # samples a second, 16 bits, one channel: OpenAI's `pcm`
_SECONDS = 0.25
# A frame of silence: MPEG-1 layer III, 64 kbit/s, 48 kHz, mono, no CRC (ISO/IEC 11172-3). Its side
# information is all zero: no bits of sound. 192 bytes, 24 ms.
_MP3_FRAME = b"\xff\xfb\x54\xc4" + bytes(188)


class _Image(msgspec.Struct):
    prompt: str
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    response_format: Literal["url", "b64_json"] | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None


class _Speech(msgspec.Struct):
    input: str
    voice: Any
    response_format: Literal["mp3", "wav", "pcm"] | None = None
    stream_format: Literal["audio"] | None = None


def images(asked: Asked) -> Whole | Streamed:
    """Answer with pictures of one pixel, in a colour that the prompt decides. PNG, whatever was asked for."""
    request = decode(asked.body, _Image)
    count = request.n or 1
    usage = asked.usage(len(request.prompt), 0)
    written = _usage(asked, usage, count) if usage else None
    if asked.stream:
        partials = request.partial_images or 0
        return Streamed(_ImageWriter(asked, request.prompt, written), (Piece(index, "") for index in range(partials)))
    body: dict[str, Any] = {"created": asked.created}
    body["data"] = [_image(request, index) for index in range(count)]
    body |= {"background": "opaque", "output_format": "png", "size": "1x1"}
    if written:
        body["usage"] = written
    return whole(body)


def picture(text: str) -> bytes:
    """A PNG file of one pixel (W3C PNG specification), coloured by a hash of `text`."""
    colour = hashlib.sha256(text.encode()).digest()[:3]
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)  # 1 x 1, 8 bits, RGB
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + colour)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _base64(text: str) -> str:
    return base64.b64encode(picture(text)).decode()


def _image(request: _Image, index: int) -> dict[str, str]:
    data = _base64(f"{request.prompt} {index}")
    return {"url": f"data:image/png;base64,{data}"} if request.response_format == "url" else {"b64_json": data}


def _usage(asked: Asked, usage: Usage, count: int) -> dict[str, Any]:
    output = usage.output_tokens if asked.knobs.completion_tokens is not None else _TOKENS_AN_IMAGE * count
    prompt = usage.prompt_tokens
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"text_tokens": prompt, "image_tokens": 0},
        "output_tokens": output,
        "total_tokens": prompt + output,
    }


class _ImageWriter:
    """A streamed image: partial pictures, then the last one."""

    def __init__(self, asked: Asked, prompt: str, usage: dict[str, Any] | None) -> None:
        self._asked = asked
        self._prompt = prompt
        self._usage = usage

    def opening(self) -> bytes:
        """Nothing."""
        return b""

    def chunk(self, piece: Piece) -> bytes:
        """A partial picture."""
        return self._event("partial_image", f"partial {piece.slot}", {"partial_image_index": piece.slot})

    def closing(self) -> bytes:
        """The picture that the whole answer would hold first."""
        return self._event("completed", "0", {"usage": self._usage} if self._usage else {})

    def failing(self, status: int, message: str) -> bytes:
        """An error object in a `data` line."""
        return error_in_stream(self._asked.path, status, message)

    def _event(self, kind: str, name: str, more: dict[str, Any]) -> bytes:
        body = {
            "type": f"image_generation.{kind}",
            "b64_json": _base64(f"{self._prompt} {name}"),
            "created_at": self._asked.created,
            "size": "1x1",
            "quality": "low",
            "background": "opaque",
            "output_format": "png",
        }
        return encode(msgspec.json.encode({**body, **more}), f"image_generation.{kind}")


def speech(asked: Asked) -> Whole:
    """Answer with a quarter of a second of silence: mp3 (the default), wav or pcm. Other formats are refused."""
    kind = decode(asked.body, _Speech).response_format or "mp3"
    if kind == "mp3":
        return Whole(_MP3_FRAME * round(_SECONDS / 0.024), "audio/mpeg")
    samples = bytes(2 * int(_RATE * _SECONDS))
    return Whole(_wav(samples), "audio/wav") if kind == "wav" else Whole(samples, "audio/pcm")


def _wav(samples: bytes) -> bytes:
    """A RIFF WAVE file of one channel of 16-bit samples (Microsoft, "Multimedia Programming Interface" 1.0)."""
    form = struct.pack("<HHIIHH", 1, 1, _RATE, 2 * _RATE, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body
