"""The fields of a request, read one by one: each fault is a `BadRequest` that names its field.

A field is a list of values: text from a query or a form (bytes that are no UTF-8 as lone surrogates), or anything
that JSON can hold. Of a repeated field the first value counts, but for lists of names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import msgspec

from lib.base.errors import BadRequest

Values = Mapping[str, Sequence[Any]]

MOST_NAMES = 20_000  # characters of a list of names, and names in it
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_NUMBER = re.compile(
    r"\s*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?|nan|inf(?:inity)?)\s*", re.IGNORECASE
)
_NAME = r"'[^'\\]*'|\"[^\"\\]*\""
_PRINTED = re.compile(rf"\[\s*+(?:(?:{_NAME})(?:\s*+,\s*+(?:{_NAME}))*)?\s*+\]")
_LARGE = 10**18
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class Fields:
    """Reads values by the names of their fields. An empty text counts as absent, unless the field is required."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def required(self, name: str, most: int) -> str:
        """A text that must be there, however empty."""
        value = self._first(name)
        if value is None:
            raise BadRequest(f"`{name}` is required", param=name)
        return _text(name, value, most)

    def text(self, name: str, most: int) -> str | None:
        """A text of so many characters at most."""
        value = self._first(name)
        return None if value is None else _text(name, value, most) or None

    def word(self, name: str, among: Collection[str], default: str) -> str:
        """One of a few words."""
        value = self.text(name, 100)
        if value is not None and value not in among:
            raise BadRequest(f"`{name}` must be {' or '.join(f'`{word}`' for word in among)}", param=name)
        return value or default

    def flag(self, name: str) -> bool:
        """Yes or no: `1` or `0`, `true` or `false`; no when it is absent."""
        value = self._first(name)
        if isinstance(value, bool):
            return value
        word = "0" if value is None else _spelled(name, value).strip().lower() or "0"
        if word not in _YES | _NO:
            raise BadRequest(f"`{name}` must be `1` or `0`", param=name)
        return word in _YES

    def whole(self, name: str, least: int, most: int, default: int) -> int:
        """A whole number within bounds."""
        text = self._number(name, _WHOLE)
        number = default if text is None else int(text)
        if not least <= number <= most:
            raise BadRequest(f"`{name}` must be a whole number from {least} to {most}", param=name)
        return number

    def maybe_whole(self, name: str, least: int, most: int) -> int | None:
        """The same; None when it is absent."""
        return self.whole(name, least, most, least) if self._number(name, _WHOLE) is not None else None

    def number(self, name: str, least: float, most: float, default: float) -> float:
        """A number within bounds."""
        text = self._number(name, _NUMBER)
        number = default if text is None else float(text)
        if not isfinite(number) or not least <= number <= most:
            raise BadRequest(f"`{name}` must be a number from {least:g} to {most:g}", param=name)
        return number

    def names(self, name: str, known: Collection[str]) -> tuple[str, ...]:
        """All names of a repeated field, a JSON array, or a text with commas between them, each once.

        `known` tells names that hold commas from several names.
        """
        values = self._values.get(name, ())
        if sum(len(value) for value in values if isinstance(value, str | list)) > MOST_NAMES:
            raise BadRequest(f"`{name}` is too long", param=name)
        found: list[str] = []
        for value in values:
            found += _names(name, value, known)
        return tuple(dict.fromkeys(found))

    def listed(self, name: str, most: int) -> list[Any]:
        """A JSON array, as such or in a text; empty when it is absent."""
        value = self._first(name)
        if isinstance(value, str):
            text = _text(name, value, most)
            value = _decoded(name, text) if text.strip() else None
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadRequest(f"`{name}` must be a JSON array", param=name)
        return value

    def _first(self, name: str) -> Any:
        return next(iter(self._values.get(name, ())), None)

    def _number(self, name: str, form: re.Pattern[str]) -> str | None:
        value = self._first(name)
        text = "" if value is None else _spelled(name, value)
        if not text:
            return None
        if not form.fullmatch(text):
            raise BadRequest(f"One of the arguments is not parseable as a number: `{name}`", param=name)
        return text


def clean_text(name: str, value: Any) -> str:
    """A value that must be text. Raises `BadRequest` for anything else, and for what no UTF-8 or no text can hold."""
    if not isinstance(value, str):
        raise BadRequest(f"`{name}` must be text", param=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadRequest(f"`{name}` must be text in UTF-8", param=name) from None
    if "\0" in value:
        raise BadRequest(f"`{name}` must be text: it holds a NUL", param=name)
    return value


def _text(name: str, value: Any, most: int) -> str:
    text = clean_text(name, value)
    if len(text) > most:
        raise BadRequest(f"`{name}` is longer than {most} characters", param=name)
    return text


def _spelled(name: str, value: Any) -> str:
    """A number as the text that would have said it."""
    if type(value) is int:
        return str(min(max(value, -_LARGE + 1), _LARGE - 1))
    return repr(value) if type(value) is float else _text(name, value, 100)


def _decoded(name: str, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(f"`{name}` is not JSON", param=name) from None


def _names(name: str, value: Any, known: Collection[str]) -> list[str]:
    if isinstance(value, list):
        return [_text(name, each, MOST_NAMES) for each in value]
    text = _text(name, value, MOST_NAMES).strip()
    if text in known:
        return [text]
    if text.startswith("[") and text.endswith("]"):
        return _array(name, text)
    return list(_pieces(text, known))


def _array(name: str, text: str) -> list[str]:
    """An array in JSON, or as Python prints one."""
    if _PRINTED.fullmatch(text):
        return [each[1:-1] for each in re.findall(_NAME, text)]
    return [_text(name, each, MOST_NAMES) for each in _decoded(name, text)]


def _pieces(text: str, known: Collection[str]) -> Iterator[str]:
    """The names between commas. One that holds commas itself is known, and ends where a comma or the text does."""
    with_commas = sorted((name for name in known if "," in name), key=len, reverse=True)
    while text:
        text = text.lstrip()
        found = (name for name in with_commas if text.startswith(name) and text[len(name) :].lstrip()[:1] in ("", ","))
        name = next(found, None) or text.partition(",")[0].rstrip()
        if name:
            yield name
        text = text[len(name) :].partition(",")[2]
