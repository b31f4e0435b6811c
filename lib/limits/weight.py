"""How many tokens a body may be, from its bytes alone, without reading them as JSON.

Time is linear in the size, about 1 µs for a KiB, whatever the bytes are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

BYTES_A_TOKEN = 3  # English is 4 to 5, code and most other scripts about 3
BYTES_A_MEDIA_TOKEN = 50  # of base64; a picture of 100 KB is well below 2,000 tokens, whatever its size
MEDIA_TOKENS = 2000  # a picture at full detail is about 1,600 tokens
BLOCK = 1024  # bytes; a shorter run of base64 is taken for text
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_\\"  # `\`: some write `\/`
_KEY = 64  # bytes that a key takes at most, with what stands around it
# where the dialects put media: a text that only looks like one is read, and paid for, as text
_IS_KEY_OF_MEDIA = re.compile(rb'"(?:url|image_url|document_url|data|file_data|input_audio|image|bytes)"\s*:\s*\Z')


class Weight(NamedTuple):
    """Tokens that a body may be at most, and whether some of them are no text."""

    tokens: int
    media: bool


def weight(raw: bytes) -> Weight:
    """Text by its bytes; pictures and sounds, as base64 or by their address, by a count of their own."""
    links = raw.count(b'"http')
    runs, size = _media(raw) if len(raw) > 2 * BLOCK else (0, 0)
    tokens = -(-(len(raw) - size) // BYTES_A_TOKEN) + size // BYTES_A_MEDIA_TOKEN + (runs + links) * MEDIA_TOKENS
    return Weight(tokens, bool(runs or links))


def _media(raw: bytes) -> tuple[int, int]:
    """How many long runs of base64 there are where a dialect puts media, and their bytes, in whole blocks."""
    runs = size = 0
    inside = counted = False
    for at in range(0, len(raw), BLOCK):
        if raw[at : at + BLOCK].translate(None, _BASE64):
            inside = False
            continue
        if not inside:
            inside, counted = True, _is_media(raw, at)
            runs += counted
        size += counted * min(BLOCK, len(raw) - at)
    return runs, size


def _is_media(raw: bytes, at: int) -> bool:
    """Whether the string in which a run lies is the value of a key of media."""
    before = raw[max(0, at - BLOCK - _KEY) : at]
    quote = before.rfind(b'"')
    return quote >= 0 and _IS_KEY_OF_MEDIA.search(before, max(0, quote - _KEY), quote) is not None
