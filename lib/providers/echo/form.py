"""A multipart form read as it arrives: short fields are kept, a file is only measured.

Source: RFC 7578 (multipart/form-data), RFC 2046 section 5.1 (delimiters).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lib.providers.echo.errors import Refusal

_MAX_HEADERS = 8192  # bytes of a part's headers
_MAX_VALUE = 64 * 1024  # bytes of a field's value
_MAX_PARTS = 100
_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.I)
_DISPOSITION = re.compile(rb"^content-disposition:([^\r\n]*)", re.I | re.M)
_PARAMETER = rb';\s*%b="([^"\r\n]*)"'


@dataclass(slots=True)
class Form:
    """What a form held. `file_name` and `file_size` (bytes) are of its last file; `seed` is a hash of everything."""

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str | None = None
    file_size: int = 0
    seed: str = ""

    def knobs(self) -> dict[str, str]:
        """The echo's knobs: a form has no objects, so SDKs write `echo[delay]`."""
        given = (name for name in self.fields if name.startswith("echo[") and name.endswith("]"))
        return {name[5:-1]: self.fields[name] for name in given}


def read_form(content_type: str, body: Iterable[bytes]) -> Form:
    """Read a form to its end. Raises `Refusal` for a body that is no form; whatever `body` raises passes through."""
    found = _BOUNDARY.match(content_type)
    if not found:
        raise Refusal("The content type must be multipart/form-data with a boundary.")
    delimiter = b"\r\n--" + (found[1] or found[2]).encode("latin-1", "replace")
    source = _Source(body)
    form = Form()
    seen = hashlib.sha256()
    for _ in source.until(delimiter):
        pass  # a preamble says nothing
    parts = 0
    while source.begins_part():
        parts += 1
        if parts > _MAX_PARTS:
            raise Refusal("The form has too many parts.")
        headers = b"".join(source.until(b"\r\n\r\n", _MAX_HEADERS))
        seen.update(headers)
        _read_part(form, headers, source, delimiter, seen.update)
    source.drain()
    form.seed = seen.hexdigest()
    return form


def _read_part(form: Form, headers: bytes, source: _Source, delimiter: bytes, see: Callable[[bytes], None]) -> None:
    disposition = _DISPOSITION.search(headers)
    name = _parameter(disposition[1], b"name") if disposition else None
    if disposition is None or name is None:
        raise Refusal("A part of the form has no name.")
    file_name = _parameter(disposition[1], b"filename")
    if file_name is None:
        value = b"".join(source.until(delimiter, _MAX_VALUE))
        see(value)
        form.fields[name] = value.decode("utf-8", "replace")
        return
    form.file_name, form.file_size = file_name, 0
    for data in source.until(delimiter):
        see(data)
        form.file_size += len(data)


def _parameter(disposition: bytes, name: bytes) -> str | None:
    found = re.search(_PARAMETER % name, disposition, re.I)
    return found[1].decode("utf-8", "replace") if found else None


class _Source:
    """A body that comes in pieces, read up to marks. Holds one piece and the length of a mark."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b"\r\n"  # the first delimiter has no line break of its own

    def until(self, mark: bytes, limit: int | None = None) -> Iterator[bytes]:
        """What comes before the next `mark`, in pieces, and the mark is gone. `limit` is in bytes."""
        seen = 0
        while (at := self._rest.find(mark)) < 0:
            safe = max(0, len(self._rest) - len(mark) + 1)
            data, self._rest = self._rest[:safe], self._rest[safe:]
            seen += len(data)
            if limit is not None and seen > limit:
                raise Refusal("A field of the form is too long.")
            if data:
                yield data
            self._more()
        data, self._rest = self._rest[:at], self._rest[at + len(mark) :]
        if limit is not None and seen + len(data) > limit:
            raise Refusal("A field of the form is too long.")
        yield data

    def begins_part(self) -> bool:
        """Just after a delimiter: whether another part follows, and not the end of the form."""
        while len(self._rest) < 2:
            self._more()
        return not self._rest.startswith(b"--")

    def drain(self) -> None:
        """Read what follows the form: nobody wants it, but it was sent."""
        for _ in self._pieces:
            pass

    def _more(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise Refusal("The request body is not the form its content type says, or it is cut short.")
        self._rest += piece
