"""Finding the parts of a multipart form that comes in pieces.

Source: RFC 7578 (multipart/form-data), RFC 2046 section 5.1 (boundaries and delimiters).

The vendor will read the same form again with a parser of its own. If the two
could find different parts in it, a caller could ask for a model that is not
allowed. So what a lenient parser may read differently is refused: folded or
odd headers, parts without a name, boundaries where only other line endings
make them delimiters, parts behind the end.
"""

from __future__ import annotations

import re

from lib.base.errors import BadRequest

MAX_FIELD = 4096  # bytes of a part's headers, and of a field that is read
MAX_PARTS = 1000
_READ = (b"model", b"stream")

_PARAMETER = r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\\r\n]|\\(?!"))*"|[^\s;"]+)'
_TYPE = re.compile(rf"multipart/form-data((?:\s*{_PARAMETER})+)\s*;?\s*", re.I)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_DISPOSITION = re.compile(rf"form-data((?:\s*{_PARAMETER})*)\s*;?\s*".encode(), re.I)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_PARAMETERS = re.compile(_PARAMETER)
_PARAMETERS_BYTES = re.compile(_PARAMETER.encode())
_LINE = re.compile(rb"[ \t]*\r\n")
_LINE_SO_FAR = re.compile(rb"-|[ \t]*\r?")


def boundary_of(content_type: str) -> str:
    """The boundary that a content type names. Raises `BadRequest` when it does not name just one."""
    found = _TYPE.fullmatch(content_type.strip())
    named = [value for name, value in _PARAMETERS.findall(found[1]) if name.lower() == "boundary"] if found else []
    boundary = named[0].strip('"') if len(named) == 1 else ""
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest("The content type must be multipart/form-data with a boundary.")
    return boundary


class FormScan:
    """Finds `model` and `stream` among the parts; keeps at most a few KiB of what it is fed.

    `fields` has for each that was found where its value begins and ends in the body, and the value.
    """

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[bytes, tuple[int, int, bytes]] = {}
        self.parts = 0
        self._mark = b"--" + boundary
        self._rest = b"\r\n"  # the first delimiter has no line break of its own
        self._at = -2  # where `_rest` begins in the body
        self._open: tuple[bytes, int] | None = None  # the field being read, and where its value began
        self._ended = False

    def feed(self, piece: bytes) -> None:
        """Look through the next bytes of the body. Raises `BadRequest`."""
        self._rest += piece
        while self._step():
            pass

    def _step(self) -> bool:
        """Take one delimiter with its headers. False when more bytes are needed."""
        found = self._delimiter()
        if found < 0:
            return False
        after = found + len(self._mark)
        if self._rest[after : after + 2] == b"--":
            self._part_ends(found - 2)
            self._ended = True
            self._drop(after)
            return True
        end = self._rest.find(b"\r\n\r\n", after)
        if (len(self._rest) if end < 0 else end) - after > MAX_FIELD:
            raise BadRequest("The headers of a part of the form are too long.")
        if end < 0:
            return False
        self._part_ends(found - 2)
        self._part_begins(self._rest[after:end], self._at + end + 4)
        self._drop(end + 2)  # keeps a line break: an empty value is followed by its delimiter at once
        return True

    def _delimiter(self) -> int:
        """The place of the next delimiter's dashes, -1 when it is not (or not all) here yet."""
        found = self._rest.find(self._mark)
        while found == 0 or (found > 0 and self._rest[found - 1] not in b"\r\n"):  # at 0 it was seen before
            found = self._rest.find(self._mark, found + 1)
        if found < 0:
            self._forget()
            return -1
        after = self._rest[found + len(self._mark) : found + len(self._mark) + MAX_FIELD]
        if _LINE_SO_FAR.fullmatch(after) and len(after) < MAX_FIELD:
            return -1
        proper = self._rest[found - 2 : found] == b"\r\n" and (after[:2] == b"--" or _LINE.match(after))
        if not proper or self._ended:
            raise BadRequest("The boundary of the form stands where it should not.")
        return found

    def _part_begins(self, headers: bytes, at: int) -> None:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise BadRequest("The form has too many parts.")
        name = _name(headers.strip(b" \t").removeprefix(b"\r\n"))
        if name in self.fields:
            raise BadRequest(f"`{name.decode()}` is named twice in the form.", param=name.decode())
        self._open = (name, at) if name in _READ else None

    def _part_ends(self, end: int) -> None:
        if self._open:
            name, at = self._open
            value = self._rest[max(at - self._at, 0) : end]
            if len(value) > MAX_FIELD:
                raise _too_long(name)
            self.fields[name] = (at, self._at + end, value)
            self._open = None

    def _forget(self) -> None:
        """Drop what can no longer begin a delimiter, unless it is a field being read."""
        kept = len(self._mark) + 1  # all but one byte of a delimiter's dashes and boundary, and the line break before
        if not self._open:
            self._drop(max(0, len(self._rest) - kept))
        elif len(self._rest) > MAX_FIELD + kept + 2:
            raise _too_long(self._open[0])

    def _drop(self, count: int) -> None:
        self._rest = self._rest[count:]
        self._at += count


def _name(headers: bytes) -> bytes:
    """The name that a part's headers give it. Raises `BadRequest` unless there is just one, plainly written."""
    dispositions = []
    for line in headers.split(b"\r\n"):
        header = _HEADER.fullmatch(line)
        if header is None:
            raise BadRequest("The headers of a part of the form are malformed.")
        if header[1].lower() == b"content-disposition":
            dispositions.append(header[2])
    found = _DISPOSITION.fullmatch(dispositions[0]) if len(dispositions) == 1 else None
    parameters = _PARAMETERS_BYTES.findall(found[1]) if found else []
    names = [value.strip(b'"') for key, value in parameters if key.lower().startswith(b"name")]
    if len(names) != 1 or b"\\" in names[0] or any(key.lower() == b"name*" for key, _ in parameters):
        raise BadRequest("Every part of the form must have a name.")
    return bytes(names[0])


def _too_long(name: bytes) -> BadRequest:
    return BadRequest(f"`{name.decode()}` is too long.", param=name.decode())
