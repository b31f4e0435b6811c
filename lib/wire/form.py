"""A multipart form that passes through without being held in memory.

The gateway reads two short fields, `model` and `stream`, wherever they stand among
the parts. Up to `READ_AHEAD` bytes are looked through in memory; when `model`
comes later than that (a file first), the beginning is spooled to disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator

from lib.base.errors import BadRequest
from lib.wire.form_scan import FormScan, boundary_of

READ_AHEAD = 256 * 1024  # bytes held in memory while looking for `model`
PIECE = 64 * 1024  # bytes read at once


class Form:
    """A multipart body on its way. `model` and `stream` are read as soon as it is made.

    `read` gives the next bytes of the body, b"" at its end. `length` is the body's
    size when the caller said it. Raises `BadRequest` for a content type without a
    boundary, a body that is no form, a field that is named twice, and whatever
    two readers could read in two ways; see `lib.wire.form_scan`.
    """

    def __init__(self, content_type: str, read: Callable[[int], bytes], length: int | None) -> None:
        boundary = boundary_of(content_type)
        self.content_type = f'multipart/form-data; boundary="{boundary}"'
        self.sent = False
        self._length = length
        self._read = read
        self._scan = FormScan(boundary.encode())
        self._begun = tempfile.SpooledTemporaryFile(max_size=READ_AHEAD)  # noqa: SIM115  closed by close()
        try:
            self._look_ahead()
        except BaseException:
            self.close()
            raise

    def get(self, name: str) -> str | None:
        """The value of `model` or `stream`, None when absent."""
        place = self._scan.fields.get(name.encode())
        return place[2].decode("utf-8", "replace") if place else None

    def length(self, model: str) -> int | None:
        """The size of what `pieces(model)` gives, None when unknown."""
        if self._length is None:
            return None
        begin, end, value = self._replacement(model)
        return self._length + len(value) - (end - begin)

    def pieces(self, model: str) -> Iterator[bytes]:
        """The body with `model` in the place of the caller's name for it. Can be taken once."""
        self.sent = True
        begin, end, value = self._replacement(model)
        self._begun.seek(0)
        while begin > 0:
            piece = self._begun.read(min(begin, PIECE))
            begin -= len(piece)
            yield piece
        self._begun.seek(end)
        yield value + self._begun.read(PIECE)
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
            raise BadRequest("The request body is not the form its content type says.")

    def _replacement(self, model: str) -> tuple[int, int, bytes]:
        """Where the caller's name for the model begins and ends, and what stands there instead."""
        place = self._scan.fields.get(b"model")
        return (place[0], place[1], model.encode()) if place else (0, 0, b"")
