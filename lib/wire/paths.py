"""The one table of passed-through paths: which path speaks which dialect.

Adding a path is one row here; its route, its entry in the OpenAPI document and
its place in API.md's test follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Dialect(StrEnum):
    """A family of wire formats, named after the vendor that publishes it."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Shape(StrEnum):
    """How a path's bodies look to `lib.wire`: which reader finds their usage."""

    CHAT = "chat"
    COMPLETION = "completion"
    RESPONSE = "response"
    EMBEDDING = "embedding"
    EMBED = "embed"
    MODERATION = "moderation"
    IMAGE = "image"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"
    MESSAGE = "message"
    TOKEN_COUNT = "token_count"


@dataclass(frozen=True, slots=True)
class Path:
    """One passed-through path.

    `route` is what callers use, `upstream` what follows the vendor's base URL,
    `required` the fields a body must have, `streams` whether `stream: true`
    means server-sent events, `multipart` whether the body is a form with files,
    `names_model` whether the body says which model; else the address does.
    """

    route: str
    dialect: Dialect
    shape: Shape
    upstream: str
    summary: str
    required: tuple[str, ...] = ("model",)
    streams: bool = False
    multipart: bool = False
    names_model: bool = True

    @property
    def name(self) -> str:
        """The endpoint's name: the route without its version, `_` for `/`."""
        return self.route.removeprefix("/v1/").replace("/", "_")


_OPENAI = Dialect.OPENAI
_ANTHROPIC = Dialect.ANTHROPIC

PATHS: tuple[Path, ...] = (
    Path("/v1/chat/completions", _OPENAI, Shape.CHAT, "/chat/completions",
         "Create a chat completion", ("model", "messages"), streams=True),
    Path("/v1/completions", _OPENAI, Shape.COMPLETION, "/completions",
         "Create a text completion", ("model", "prompt"), streams=True),
    Path("/v1/responses", _OPENAI, Shape.RESPONSE, "/responses",
         "Create a response", streams=True),
    Path("/v1/embeddings", _OPENAI, Shape.EMBEDDING, "/embeddings",
         "Create embeddings", ("model", "input")),
    Path("/v1/moderations", _OPENAI, Shape.MODERATION, "/moderations",
         "Classify text", ("input",)),
    Path("/v1/images/generations", _OPENAI, Shape.IMAGE, "/images/generations",
         "Create images", ("prompt",), streams=True),
    Path("/v1/audio/speech", _OPENAI, Shape.SPEECH, "/audio/speech",
         "Turn text into speech", ("model", "input", "voice")),
    Path("/v1/audio/transcriptions", _OPENAI, Shape.TRANSCRIPTION, "/audio/transcriptions",
         "Turn speech into text", ("model", "file"), streams=True, multipart=True),
    Path("/v1/messages", _ANTHROPIC, Shape.MESSAGE, "/v1/messages",
         "Create a message", ("model", "max_tokens", "messages"), streams=True),
    Path("/v1/messages/count_tokens", _ANTHROPIC, Shape.TOKEN_COUNT, "/v1/messages/count_tokens",
         "Count the tokens of a message", ("model", "messages")),
)  # fmt: skip

EMBED = Path(
    "/agents/embedding", _OPENAI, Shape.EMBED, "", "Create the embedding of a text", ("inputs",), names_model=False
)
"""One model behind an address of its own, as text-embeddings-inference and Chutes serve it: `{"inputs": text}` is
answered with a list of vectors. A feature calls it; no route passes it through."""

_COUNTERPARTS = {Shape.CHAT: Shape.MESSAGE, Shape.MESSAGE: Shape.CHAT}


def counterpart(path: Path) -> Path | None:
    """The path of the other dialect that serves the same purpose by translation, if there is one."""
    shape = _COUNTERPARTS.get(path.shape)
    return path_of(shape) if shape else None


def path_of(shape: Shape) -> Path:
    """The row of a shape."""
    return next(path for path in (*PATHS, EMBED) if path.shape is shape)
