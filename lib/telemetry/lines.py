"""One event becomes one line: JSON for machines, text for people."""

from __future__ import annotations

import re
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal

import msgspec

from lib.telemetry.redaction import Redactor

Format = Literal["json", "console"]
Render = Callable[[Redactor, str, dict[str, Any]], bytes]
ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

_PLAIN = re.compile(r"[\w./:@+-]+", re.ASCII)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) not in "\n\t"}


class _Clock:
    """UTC to the millisecond (RFC 3339); the seconds are spelled once."""

    def __init__(self) -> None:
        self._now = (0, "")

    def __call__(self) -> str:
        milliseconds = time.time_ns() // 1_000_000
        seconds = milliseconds // 1000
        known, text = self._now
        if seconds != known:
            text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(seconds))
            self._now = (seconds, text)
        return f"{text}{milliseconds % 1000:03d}Z"


_clock = _Clock()
_encode = msgspec.json.Encoder().encode


def error_of(exc_info: Any) -> BaseException | None:
    """The exception that an `exc_info` argument means: an exception, a triple, or True for the current one."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        error = exc_info[1]
        return error if isinstance(error, BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def json_line(redactor: Redactor, level: str, fields: dict[str, Any]) -> bytes:
    """`{"timestamp", "level", "event", ...}`; `exc_info` becomes the text `exception`, without local variables."""
    fields = _with_exception(fields)
    line = {"timestamp": _clock(), "level": level, "event": ""}
    line.update(redactor.fields(fields))
    return encoded(line) + b"\n"


def console_line(redactor: Redactor, level: str, fields: dict[str, Any]) -> bytes:
    """`08:26:00.123 info     event  name=value ...`, an exception on lines of its own."""
    clean = redactor.fields(_with_exception(fields))
    event, exception = clean.pop("event", ""), clean.pop("exception", None)
    pairs = "".join(f" {name}={_word(value)}" for name, value in clean.items())
    text = f"{_clock()[11:-1]} {level:<8} {event} {pairs}".rstrip()
    if exception is not None:
        text += "\n" + str(exception).rstrip()
    return text.translate(_CONTROLS).encode(errors="replace") + b"\n"


RENDERERS: dict[Format, Render] = {"json": json_line, "console": console_line}


def _with_exception(fields: dict[str, Any]) -> dict[str, Any]:
    if "exc_info" not in fields:
        return fields
    rest = {name: value for name, value in fields.items() if name != "exc_info"}
    error = error_of(fields["exc_info"])
    if error is not None:
        rest["exception"] = "".join(traceback.format_exception(error))
    return rest


def encoded(value: Any) -> bytes:
    """Plain values as JSON."""
    try:
        return _encode(value)
    except (ValueError, OverflowError):
        return _encode(_encodable(value))


def _word(value: Any) -> str:
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else encoded(value).decode()


def _encodable(value: Any) -> Any:
    """What JSON in UTF-8 can say: no lone surrogates, no numbers beyond 64 bits."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(name): _encodable(item) for name, item in value.items()}
    return value
