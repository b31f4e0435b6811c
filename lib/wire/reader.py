"""Checked reading of decoded JSON that a caller sent: every wrong type is a 400 that names its path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NoReturn

from lib.base.errors import BadRequest, Untranslatable

Json = dict[str, Any]
"""A decoded JSON object."""

_LONGEST_NAME = 64


def refuse(path: str, expected: str) -> NoReturn:
    """Raise `BadRequest` for the value at `path`."""
    raise BadRequest(f"`{path}` must be {expected}.", param=path)


class Reader:
    """A JSON object and the path that leads to it, such as `messages[2].content[0]`.

    A null counts as absent, as it does in both vendors' APIs. Methods raise
    `BadRequest` when a value is of another type, and those that are not
    `maybe_...` also when it is absent.
    """

    __slots__ = ("path", "raw")

    def __init__(self, raw: Any, path: str = "") -> None:
        if not isinstance(raw, dict):
            refuse(path or "body", "an object")
        self.raw: Json = raw
        self.path = path

    def at(self, key: str) -> str:
        """The path of a field."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether a field is present and not null."""
        return self.raw.get(key) is not None

    def only(self, known: Collection[str]) -> None:
        """Raise `Untranslatable` for a field that is not known: nothing is dropped in silence."""
        for key, value in self.raw.items():
            if value is not None and key not in known:
                raise Untranslatable(self.at(key[:_LONGEST_NAME]))

    def maybe_text(self, key: str) -> str | None:
        """A string or None."""
        value = self.raw.get(key)
        if value is None or isinstance(value, str):
            return value
        refuse(self.at(key), "a string")

    def text(self, key: str) -> str:
        """A string."""
        value = self.maybe_text(key)
        return refuse(self.at(key), "a string") if value is None else value

    def name(self, key: str) -> str:
        """A string that is not empty."""
        return self.text(key) or refuse(self.at(key), "a string that is not empty")

    def maybe_flag(self, key: str) -> bool | None:
        """A boolean or None."""
        value = self.raw.get(key)
        if value is None or isinstance(value, bool):
            return value
        refuse(self.at(key), "a boolean")

    def maybe_count(self, key: str, least: int = 0) -> int | None:
        """A whole number of at least `least`, or None."""
        value = self.raw.get(key)
        if value is None:
            return None
        if type(value) is not int or value < least:
            refuse(self.at(key), f"a whole number, {least} or more")
        return value

    def maybe_number(self, key: str, highest: float) -> int | float | None:
        """A number from 0 to `highest`, or None."""
        value = self.raw.get(key)
        if value is None:
            return None
        if type(value) not in (int, float) or not 0 <= value <= highest:
            refuse(self.at(key), f"a number from 0 to {highest:g}")
        number: int | float = value
        return number

    def maybe_object(self, key: str) -> Reader | None:
        """An object or None."""
        value = self.raw.get(key)
        return None if value is None else Reader(value, self.at(key))

    def object(self, key: str) -> Reader:
        """An object."""
        return Reader(self.raw.get(key), self.at(key))

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """One of a few strings."""
        value = self.text(key)
        return value if value in allowed else refuse(self.at(key), f"one of {', '.join(sorted(allowed))}")

    def objects(self, key: str) -> list[Reader]:
        """A list of objects; an absent one is empty."""
        value = self.raw.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            refuse(self.at(key), "a list")
        path = self.at(key)
        return [Reader(item, f"{path}[{index}]") for index, item in enumerate(value)]

    def texts(self, key: str) -> list[str]:
        """A list of strings; an absent one is empty."""
        value = self.raw.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            refuse(self.at(key), "a list")
        for index, item in enumerate(value):
            if not isinstance(item, str):
                refuse(f"{self.at(key)}[{index}]", "a string")
        return value

    def parts(self, key: str) -> list[Reader]:
        """Message content in either form: a string stands for one text part, as both vendors define it."""
        value = self.raw.get(key)
        if isinstance(value, str):
            return [Reader({"type": "text", "text": value}, self.at(key))]
        if value is not None and not isinstance(value, list):
            refuse(self.at(key), "a string or a list")
        return self.objects(key)


PartReaders = Mapping[str, Callable[[Reader], Json | None]]
"""For each type of content part, the function that translates it; it returns None for a part that says nothing."""


def translated(parts: list[Reader], readers: PartReaders) -> Iterator[tuple[Reader, Json]]:
    """Each part with its translation. Raises `Untranslatable` for a type that is not among `readers`."""
    for part in parts:
        read = readers.get(part.text("type"))
        if read is None:
            raise Untranslatable(part.at("type"), "this kind of content cannot be sent to it")
        result = read(part)
        if result is not None:
            yield part, result
