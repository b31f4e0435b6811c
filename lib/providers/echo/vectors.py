"""The echo's embeddings and moderations. Sources: OpenAI API reference, "Embeddings" and "Moderations";
text-embeddings-inference, `POST /embed`."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from lib.providers.echo.asked import Asked, Whole, decode, whole
from lib.providers.echo.completions import input_tokens, inputs
from lib.providers.echo.errors import Refusal

_DIMENSIONS = 1536
_EMBED_DIMENSIONS = 1024  # of the model that is usually behind such an address, bge-large
_MAX_NUMBERS = 4_000_000  # in all the vectors of an answer: they are held in memory
_MAX_TEXTS = 100  # of a moderation
_CATEGORIES = {
    "harassment": ["text"],
    "harassment/threatening": ["text"],
    "hate": ["text"],
    "hate/threatening": ["text"],
    "illicit": ["text"],
    "illicit/violent": ["text"],
    "self-harm": ["text", "image"],
    "self-harm/instructions": ["text", "image"],
    "self-harm/intent": ["text", "image"],
    "sexual": ["text", "image"],
    "sexual/minors": ["text"],
    "violence": ["text", "image"],
    "violence/graphic": ["text", "image"],
}


class _Embedding(msgspec.Struct):
    input: Any
    dimensions: Annotated[int, Meta(ge=1, le=8192)] | None = None
    encoding_format: Literal["float", "base64"] | None = None


class _Embed(msgspec.Struct):
    inputs: str | list[str]


class _Moderation(msgspec.Struct):
    input: str | list[str | dict[str, Any]]


def embeddings(asked: Asked) -> Whole:
    """Answer with a unit vector for each input, the same for the same input."""
    request = decode(asked.body, _Embedding)
    given = inputs(request.input, "input")
    size = request.dimensions or _DIMENSIONS
    if len(given) * size > _MAX_NUMBERS:
        raise Refusal(f"`input` times `dimensions` must not exceed {_MAX_NUMBERS} numbers.", "input")
    packed = request.encoding_format == "base64"
    body: dict[str, Any] = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _written(vector(one, size), packed=packed)}
            for index, one in enumerate(given)
        ],
        "model": asked.model,
    }
    if asked.knobs.usage:
        tokens = asked.knobs.count(input_tokens(given), 0).prompt_tokens
        body["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return whole(body)


def embed(asked: Asked) -> Whole:
    """Answer with a list of unit vectors, one for each input."""
    given = inputs(decode(asked.body, _Embed).inputs, "inputs")
    if len(given) * _EMBED_DIMENSIONS > _MAX_NUMBERS:
        raise Refusal(f"`inputs` must not ask for more than {_MAX_NUMBERS} numbers.", "inputs")
    vectors = [_written(vector(one, _EMBED_DIMENSIONS), packed=False) for one in given]
    return Whole(msgspec.json.encode(vectors))


def vector(given: str | list[int], size: int) -> bytes:
    """A unit vector of `size` little-endian float32 values, made from a hash (SHAKE-256, FIPS 202).

    A shorter vector points where the first values of a longer one do, as with OpenAI's `dimensions`.
    """
    digest = hashlib.shake_256(msgspec.json.encode(given)).digest(2 * size)
    values = [value + 0.5 for value in struct.unpack(f"<{size}h", digest)]  # never all zero
    norm = math.sqrt(math.fsum(value * value for value in values))
    return struct.pack(f"<{size}f", *(value / norm for value in values))


def _written(packed_vector: bytes, *, packed: bool) -> str | list[float]:
    if packed:
        return base64.b64encode(packed_vector).decode()
    return list(struct.unpack(f"<{len(packed_vector) // 4}f", packed_vector))


def moderation(asked: Asked) -> Whole:
    """Answer that nothing is wrong: one verdict for each text, one for a list of text and images together."""
    given = decode(asked.body, _Moderation).input
    if len(given) > _MAX_TEXTS and not isinstance(given, str):
        raise Refusal(f"`input` must hold at most {_MAX_TEXTS} inputs.", "input")
    together = isinstance(given, str) or (bool(given) and isinstance(given[0], dict))
    verdict = {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": dict.fromkeys(_CATEGORIES, 0.0),
        "category_applied_input_types": _CATEGORIES,
    }
    results = [verdict] * (1 if together else len(given))
    return whole({"id": asked.id("modr-"), "model": asked.model, "results": results})
