"""A multipart form that passes through without being held in memory.

Source: RFC 7578 (multipart/form-data), RFC 2046 section 5.1 (delimiters). The
gateway reads two short fields, `model` and `stream`, wherever they stand among
the parts. Up to `READ_AHEAD` bytes are looked through in memory; when `model`
comes later than that (a file first), the beginning is spooled to disk.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator

from lib.base.errors import BadRequest

READ_AHEAD = 256 * 1024  # bytes held in memory while looking for `model`
PIECE = 64 * 1024  # bytes read at once
MAX_FIELD = 4096  # bytes of a part's headers, and of a field that is read
_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.I)
_NAME = re.compile(rb'content-disposition:[^\r\n]*?\bname="?([^";\r\n]+)"?', re.I)
_READ = (b"model", b"stream")


class Form:
    """A multipart body on its way. `model` and `stream` are read as soon as it is made.

    `read` gives the next bytes of the body, b"" at its end. `length` is the body's
    size when the caller said it. Raises `BadRequest` for a content type without a
    boundary, a body that is no form, or a `model` that is named twice.
    """

    def __init__(self, content_type: str, read: Callable[[int], bytes], length: int | None) -> None:
        found = _BOUNDARY.match(content_type)
        if not found:
            raise BadRequest("The content type must be multipart/form-data with a boundary.")
        self.content_type = content_type
        self.sent = False
        self._length = length
        self._read = read
        self._scan = _Scan((found[1] or found[2]).encode("latin-1", "replace"))
        self._begun = tempfile.SpooledTemporaryFile(max_size=READ_AHEAD)  # noqa: SIM115  closed by close()
        self._look_ahead()

    def get(self, name: str) -> str | None:
        """The value of `model` or `stream`, None when absent."""
        place = self._scan.fields.get(name.encode())
        return place[2].decode("utf-8", "replace") if place else None

    def length(self, model: str) -> int | None:
        """The size of what `pieces(model)` gives, None when unknown."""
        return None if self._length is None else self._length + len(self._insert(model)[1]) - self._cut()

    def pieces(self, model: str) -> Iterator[bytes]:
        """The body with `model` in the place of the caller's name for it. Can be taken once."""
        self.sent = True
        at, value = self._insert(model)
        self._begun.seek(0)
        yield self._begun.read(at) + value
        self._begun.seek(at + self._cut())
        yield from iter(lambda: self._begun.read(PIECE), b"")
        while piece := self._read(PIECE):
            self._scan.feed(piece)
            yield piece

    def close(self) -> None:
        """Let go of what was spooled."""
        self._begun.close()

    def _look_ahead(self) -> None:
        """Read until `model` was seen and memory is used up, or to the end."""
        seen = 0
        while b"model" not in self._scan.fields or seen < READ_AHEAD:
            piece = self._read(PIECE)
            if not piece:
                break
            seen += len(piece)
            self._begun.write(piece)
            self._scan.feed(piece)
        if not self._scan.parts:
            self.close()
            raise BadRequest("The request body is not the form its content type says.")

    def _insert(self, model: str) -> tuple[int, bytes]:
        place = self._scan.fields.get(b"model")
        return (place[0], model.encode()) if place else (0, b"")

    def _cut(self) -> int:
        place = self._scan.fields.get(b"model")
        return place[1] - place[0] if place else 0


class _Scan:
    """Finds parts in a body that comes in pieces; keeps at most a few KiB of it."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[bytes, tuple[int, int, bytes]] = {}
        self.parts = 0
        self._delimiter = b"\r\n--" + boundary
        self._rest = b"\r\n"  # the first delimiter has no line break of its own
        self._at = -2  # where `_rest` begins in the body
        self._open: tuple[bytes, int] | None = None  # the field being read, and where its value began

    def feed(self, piece: bytes) -> None:
        self._rest += piece
        while self._step():
            pass

    def _step(self) -> bool:
        """Take one delimiter with its headers. False when more bytes are needed."""
        found = self._rest.find(self._delimiter)
        if found < 0:
            self._forget()
            return False
        head = found + len(self._delimiter)
        end = self._rest.find(b"\r\n\r\n", head)
        if self._rest[head : head + 2] == b"--" or end < 0:
            if len(self._rest) - head > MAX_FIELD and end < 0 and self._rest[head : head + 2] != b"--":
                raise BadRequest("The headers of a part of the form are too long.")
            if self._rest[head : head + 2] == b"--":
                self._close_field(found)
                self._drop(head)
            return False
        self._close_field(found)
        self._begin(self._rest[head:end], self._at + end + 4)
        self._drop(end + 2)  # keeps a line break: an empty value is followed by its delimiter at once
        return True

    def _begin(self, headers: bytes, at: int) -> None:
        self.parts += 1
        named = _NAME.search(headers)
        name = named[1] if named else b""
        if name in self.fields:
            raise BadRequest(f"`{name.decode()}` is named twice in the form.", param=name.decode())
        self._open = (name, at) if name in _READ else None

    def _close_field(self, found: int) -> None:
        if self._open:
            name, at = self._open
            start = max(at - self._at, 0)
            self.fields[name] = (at, self._at + found, self._rest[start:found])
            self._open = None

    def _forget(self) -> None:
        """Drop what can no longer begin a delimiter, unless it is a field being read."""
        if self._open:
            if len(self._rest) > MAX_FIELD + len(self._delimiter):
                raise BadRequest(f"`{self._open[0].decode()}` is too long.", param=self._open[0].decode())
            return
        self._drop(max(0, len(self._rest) - len(self._delimiter)))

    def _drop(self, count: int) -> None:
        self._rest = self._rest[count:]
        self._at += count
