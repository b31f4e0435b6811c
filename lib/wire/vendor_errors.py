"""Reading a vendor's error, whatever its shape."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from lib.base.errors import AIProxyError, RateLimited, VendorError, VendorOverloaded, VendorRefused
from lib.wire.usage import UNREADABLE

LONGEST = 2_000
"""How many characters of a vendor's words are kept."""

TOO_LONG = "context_length_exceeded"
"""OpenAI's code for a prompt that does not fit the model."""

# as vendors say it; a name, an image or a list of tools that is too long is another matter
_TOO_LONG_WORDS = re.compile(
    r"\b(?:prompt|input|conversation)(?: is)? too long\b"  # Anthropic, Bedrock, Ollama
    r"|\b(?:exceed\w*|longer than|greater than|maximum|max|configured)\b"  # OpenAI, vLLM, Mistral, llama.cpp
    r"[^.]{0,60}\bcontext (?:length|limit|window|size)\b"
    r"|\bcontext[ _](?:length|limit|window|size)[ _]exceed"  # MiniMax
    r"|\bmaximum (?:prompt|model|input) length\b|\brange of input length\b"  # xAI, vLLM, Qwen
    r"|\b(?:input|prompt) token count\b[^.]{0,60}\b(?:exceeds|only supports)\b"  # Gemini, Vertex
    r"|\bexceed\w* (?:the )?(?:model|input|maximum|context)(?:'s)? token limit\b"  # Moonshot
    r"|\btoo many (?:input |prompt )?tokens\b"  # Bedrock
    r"|\breduce the length of the (?:messages|input|prompt)\b"  # Groq, Cerebras
    r"|`inputs` (?:tokens \+|must have less than \d+ tokens)",  # text-generation-inference
    re.IGNORECASE,
)
_OVERLOADED = ("overloaded", "unavailable", "slow_down", "503", "529")
_LIMITED = ("rate_limit", "429")
_REFUSED = "invalid_request"


class VendorMessage(NamedTuple):
    """A vendor's error in its own words. `message` is empty when it said nothing readable."""

    type: str | None
    code: str | None
    message: str
    param: str | None


def read_error(body: bytes) -> VendorMessage:
    """Read an error body. Total: any bytes give an answer.

    Known shapes: `{"error": {...}}` (OpenAI, Anthropic, Azure, OpenRouter), the
    same in a list (Gemini), `{"error": "text"}`, `{"detail": ...}` (FastAPI,
    its list of validation errors included), `{"message": "text"}` (AWS, vLLM,
    Mistral), and plain text that is no web page.
    """
    try:
        value = msgspec.json.decode(body)
    except UNREADABLE:
        text = body[: 4 * LONGEST].decode("utf-8", "replace").strip()
        return VendorMessage(None, None, "" if text.startswith("<") else text[:LONGEST], None)
    return _read(value)


def is_too_long(words: str) -> bool:
    """Whether a refusal says that the prompt does not fit the model. Anthropic and others have no code for it."""
    return _TOO_LONG_WORDS.search(words) is not None


def stream_error(body: bytes, provider: str = "") -> AIProxyError:
    """The error for a failure that was reported inside a 200, by the vendor's type and code, never its prose.

    What it refused keeps its words for the caller; of any other failure they are the error's `detail`.
    """
    said = read_error(body)
    words = f"{said.type} {said.code}".lower()
    detail = ": ".join(part for part in (said.type, said.code, said.message) if part)[:LONGEST]
    if any(word in words for word in _OVERLOADED):
        return VendorOverloaded(detail=detail, provider=provider)
    if any(word in words for word in _LIMITED):
        return RateLimited(detail=detail, provider=provider)
    if _REFUSED in words:
        return VendorRefused(said.message, status=400, code=said.code, param=said.param, provider=provider)
    return VendorError(detail=detail, provider=provider)


def _read(value: Any) -> VendorMessage:
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return VendorMessage(None, None, value[:LONGEST] if isinstance(value, str) else "", None)
    error = value.get("error")
    if isinstance(error, dict):
        return _from_object(error)
    if isinstance(error, str) and isinstance(value.get("message"), str):
        return _from_object({"type": error, **value})
    if isinstance(error, str):
        return VendorMessage(None, None, error[:LONGEST], None)
    if "detail" in value:
        return _from_detail(value["detail"])
    return _from_object(value)


def _from_object(error: dict[str, Any]) -> VendorMessage:
    message = error.get("message") or error.get("Message")
    if isinstance(message, dict):
        return _from_detail(message.get("detail"))
    return VendorMessage(
        _word(error.get("type")) or _word(error.get("status")),
        _word(error.get("code")),
        message[:LONGEST] if isinstance(message, str) else "",
        _word(error.get("param")),
    )


def _from_detail(detail: Any) -> VendorMessage:
    """FastAPI's `detail`: a text, an object, or a list of `{loc, msg, type}`."""
    if isinstance(detail, str):
        return VendorMessage(None, None, detail[:LONGEST], None)
    first = detail[0] if isinstance(detail, list) and detail else detail
    if not isinstance(first, dict):
        return VendorMessage(None, None, "", None)
    if "msg" not in first:
        return _from_object(first)
    where = first.get("loc")
    steps = [str(step) for step in where if step != "body"] if isinstance(where, list) else []
    message = first["msg"] if isinstance(first["msg"], str) else ""
    return VendorMessage(_word(first.get("type")), None, message[:LONGEST], ".".join(steps)[:LONGEST] or None)


def _word(value: Any) -> str | None:
    """A short string; a number stands for itself."""
    if type(value) is int:
        return str(value)
    return value[:200] if isinstance(value, str) and value else None
