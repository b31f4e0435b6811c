"""Just enough of multipart/form-data (RFC 7578) to look into a finished upload."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; `filename` is None for a field that is not a file."""

    name: str
    filename: str | None
    content_type: str
    data: bytes


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """The parts of a complete body, in order; empty when `content_type` is no form or the body is unfinished."""
    header = _message(f"Content-Type: {content_type}")
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or boundary is None:
        return []
    mark = b"--" + boundary.encode()
    whole, end, _ = body.partition(b"\r\n" + mark + b"--")
    if not end:
        return []
    pieces = (b"\r\n" + whole).split(b"\r\n" + mark + b"\r\n")[1:]
    return [_part(piece) for piece in pieces]


def _part(piece: bytes) -> Part:
    head, _, data = piece.partition(b"\r\n\r\n")
    fields = _message(head.decode())
    name = fields.get_param("name", "", header="content-disposition")
    return Part(str(name), fields.get_filename(), fields.get_content_type(), data)


def _message(head: str) -> Message:
    message = Message()
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        message[name] = value.strip()
    return message
