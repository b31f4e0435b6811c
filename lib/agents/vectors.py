"""The vector in an answer to an embedding call, in the digits of whoever made it."""

from __future__ import annotations

import msgspec

from lib.base.errors import VendorProtocolError


class _One(msgspec.Struct):
    embedding: msgspec.Raw


class _List(msgspec.Struct):
    data: list[_One]


def first_vector(body: bytes) -> msgspec.Raw:
    """The first vector, as JSON: of OpenAI's `{"data": [{"embedding"}]}`, or of a bare list of vectors, or of one.

    Raises `VendorProtocolError`.
    """
    try:
        found = _of_list(body) if body.lstrip()[:1] == b"[" else msgspec.json.decode(body, type=_List).data[0].embedding
        msgspec.json.decode(found, type=list[float])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
        raise VendorProtocolError(detail="an embedding that is no vector") from None
    return found


def _of_list(body: bytes) -> msgspec.Raw:
    items = msgspec.json.decode(body, type=list[msgspec.Raw])
    return items[0] if bytes(items[0])[:1] == b"[" else msgspec.Raw(body)
