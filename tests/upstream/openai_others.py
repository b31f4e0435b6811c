"""Right answers of OpenAI's remaining paths: embeddings, moderations, images, audio, models.

Source: OpenAI API reference, the sections of the same names. `/embed` is the
text-embeddings-inference server's own path, as Chutes serves it.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Any

from tests.upstream.openai_chat import EVENT_STREAM, headers
from tests.upstream.recipe import CREATED, Recipe, encode, mark, sse
from tests.upstream.record import Call
from tests.upstream.steps import Answer

MODELS = ("gpt-4o", "gpt-4o-mini", "text-embedding-3-small", "whisper-1")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
IMAGE_USAGE = {
    "input_tokens": 13,
    "input_tokens_details": {"text_tokens": 13, "image_tokens": 0},
    "output_tokens": 272,
    "total_tokens": 285,
}
TRANSCRIPT_USAGE = {
    "type": "tokens",
    "input_tokens": 14,
    "input_token_details": {"text_tokens": 2, "audio_tokens": 12},
    "output_tokens": 5,
    "total_tokens": 19,
}


def _whole(call: Call, body: Any) -> Answer:
    return Answer((encode(body),), headers=headers(call))


def _inputs(call: Call, field: str) -> Sequence[Any]:
    """A list of texts or of token lists, or one of either."""
    given = call.json.get(field, "")
    many = isinstance(given, list) and not (given and isinstance(given[0], int))
    return given if many else [given]


def _vector(number: int, size: int) -> list[float]:
    """Values that single precision holds exactly, so both encodings agree."""
    return [((number + place) % 16 - 8) / 64 for place in range(size)]


def embeddings(call: Call, recipe: Recipe) -> Answer:
    """One vector for each input, as floats or (what OpenAI's own SDK asks for) as base64 of float32."""
    size = int(call.json.get("dimensions") or 16)
    packed = call.json.get("encoding_format") == "base64"

    def vector(number: int) -> Any:
        values = _vector(number, size)
        return base64.b64encode(struct.pack(f"<{size}f", *values)).decode() if packed else values

    inputs = _inputs(call, "input")
    data = [{"object": "embedding", "index": number, "embedding": vector(number)} for number in range(len(inputs))]
    usage = {"prompt_tokens": 7 * len(inputs), "total_tokens": 7 * len(inputs)}
    return _whole(
        call, {"object": "list", "data": data, "model": call.model} | ({"usage": usage} if recipe.usage else {})
    )


def embed(call: Call, recipe: Recipe) -> Answer:
    """Bare lists of floats and no usage."""
    return _whole(call, [_vector(number, 16) for number in range(len(_inputs(call, "inputs")))])


def moderations(call: Call, recipe: Recipe) -> Answer:
    """One clean verdict for each input."""
    verdict = {
        "flagged": False,
        "categories": {"harassment": False, "violence": False},
        "category_scores": {"harassment": 0.0004, "violence": 0.0021},
        "category_applied_input_types": {"harassment": ["text"], "violence": ["text"]},
    }
    model = call.model or "omni-moderation-latest"
    return _whole(
        call, {"id": mark(call, "modr-"), "model": model, "results": [verdict for _ in _inputs(call, "input")]}
    )


def images(call: Call, recipe: Recipe) -> Answer:
    """A one-pixel picture, whole or with one partial picture before it."""
    if not call.stream:
        return _whole(call, {"created": CREATED, "data": [{"b64_json": PIXEL}], "usage": IMAGE_USAGE})
    common = {"b64_json": PIXEL, "created_at": CREATED, "size": "1024x1024", "quality": "low", "output_format": "png"}
    partial = common | {"type": "image_generation.partial_image", "partial_image_index": 0}
    done = common | {"type": "image_generation.completed", "usage": IMAGE_USAGE}
    pieces = (sse(partial, "image_generation.partial_image"), sse(done, "image_generation.completed"))
    return Answer(pieces, EVENT_STREAM, headers=headers(call), streamed=True, gap=recipe.gap)


def speech(call: Call, recipe: Recipe) -> Answer:
    """Binary audio in chunks: 3 KiB for each fragment, every byte value in it."""
    block = bytes(range(256)) * 12
    pieces = tuple(bytes([0xFF, 0xFB, number % 256]) + block[3:] for number in range(recipe.chunks))
    return Answer(pieces, "audio/mpeg", headers=headers(call), streamed=True, gap=recipe.gap)


def transcription(call: Call, recipe: Recipe) -> Answer:
    """The text of a recording, whole (JSON or plain text) or streamed."""
    form = {part.name: part.data for part in call.parts}
    if call.stream:
        events: list[dict[str, Any]] = [
            {"type": "transcript.text.delta", "delta": fragment} for fragment in recipe.fragments
        ]
        events.append({"type": "transcript.text.done", "text": recipe.text, "usage": TRANSCRIPT_USAGE})
        pieces = tuple(sse(event, event["type"]) for event in events)
        return Answer(pieces, EVENT_STREAM, headers=headers(call), streamed=True, gap=recipe.gap)
    if form.get("response_format") == b"text":
        return Answer((recipe.text.encode() + b"\n",), "text/plain; charset=utf-8", headers=headers(call))
    return _whole(call, {"text": recipe.text} | ({"usage": TRANSCRIPT_USAGE} if recipe.usage else {}))


def models(call: Call) -> Answer:
    """The list of models, or the one that the path names."""
    rows = [{"id": name, "object": "model", "created": CREATED, "owned_by": "lighthouse"} for name in MODELS]
    asked = call.route.rpartition("/models")[2].removeprefix("/")
    if not asked:
        return _whole(call, {"object": "list", "data": rows})
    return _whole(call, rows[0] | {"id": asked})
