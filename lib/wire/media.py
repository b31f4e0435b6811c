"""Images and files inside a body: data URLs, base64 and identifiers."""

from __future__ import annotations

import binascii
import hashlib
import re
from typing import NamedTuple

from lib.base.errors import Untranslatable
from lib.wire.reader import refuse

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""What both vendors read (OpenAI "Images and vision", Anthropic "Vision")."""

_DATA_URL = re.compile(r"data:([^;,]*)(?:;[^;,]*)*?(;base64)?,", re.IGNORECASE)
_ALIASES = {"image/jpg": "image/jpeg"}
_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


class DataUrl(NamedTuple):
    """The two halves of a base64 `data:` URL (RFC 2397). `data` is not decoded."""

    media_type: str
    data: str


def read_data_url(url: str, path: str) -> DataUrl:
    """Split a `data:` URL. Raises `BadRequest` when it is none, or not in base64."""
    match = _DATA_URL.match(url)
    if match is None or not match[2]:
        refuse(path, "a base64 data URL")
    media_type = match[1].lower()
    return DataUrl(_ALIASES.get(media_type, media_type), url[match.end() :])


def write_data_url(media_type: str, data: str) -> str:
    """The `data:` URL for base64 data."""
    return f"data:{media_type};base64,{data}"


def image_type(media_type: str, path: str) -> str:
    """`media_type`, in its one spelling. Raises `Untranslatable` for an image that the vendor does not read."""
    media_type = _ALIASES.get(media_type.lower(), media_type.lower())
    if media_type not in IMAGE_TYPES:
        raise Untranslatable(path, "an image must be JPEG, PNG, GIF or WebP")
    return media_type


def decode_base64(data: str, path: str) -> bytes:
    """The bytes of base64 data. Raises `BadRequest` when it is none."""
    try:
        return binascii.a2b_base64(data, strict_mode=True)
    except ValueError:  # binascii.Error is one, and so is a character outside ASCII
        refuse(path, "base64")


def tool_id(value: str, longest: int = 64) -> str:
    """An identifier of a tool call that every vendor takes, the same one whenever it is asked for.

    Callers bring identifiers from other models. Anthropic and Bedrock allow
    letters, digits, `_` and `-`; Bedrock 64 characters, OpenAI 40.
    """
    safe = _NOT_IN_AN_ID.sub("_", value)
    return safe if len(safe) <= longest else hashlib.sha256(value.encode()).hexdigest()[:longest]
