"""What a managed key may do: read from what people write, kept as JSON.

Everything is checked here, for the command line and the web alike. An error names the field and repeats
nothing of what it held.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from lib.access.addresses import AddressList
from lib.access.amounts import parse_budget, show_budget
from lib.access.caller import FAMILIES, SCOPES
from lib.base import Budget, parse_moment
from lib.base.errors import BadRequest

MAX_LIST = 100  # entries of any list
MAX_TAGS = 32
MAX_RATE = 1_000_000_000  # requests or tokens a minute
LONGEST_LIFE = 100 * 365 * 86_400_000  # milliseconds
RESERVED_NAMES = frozenset({"main", "agents", "anonymous"})  # those who enter without a managed key

_NAME = re.compile(r"(?=.{1,128}\Z)(?![- ])(?:(?!\.+(?:/|\Z))[A-Za-z0-9._@ -]+(?:/(?=.)|\Z))+(?<! )", re.ASCII)
_PATTERN = re.compile(r"[A-Za-z0-9._:/@*?\[\]!+-]{1,256}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z_]{1,32}")  # no key or token looks so
_TAG = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_TAG_VALUE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,256}")
_ADDRESS = re.compile(r"[0-9A-Fa-f:./ ]{0,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)
_NAME_RULE = "must have 1 to 128 letters, digits, spaces and ._@/- and begin with none of `-`, `/` and a space"
_ADDRESS_RULE = "must be addresses and CIDR blocks: {}"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a key may do. `scopes` are API families, and `admin`; `models` patterns; rates are for a minute."""

    scopes: tuple[str, ...] = tuple(sorted(FAMILIES))
    models: tuple[str, ...] = ("*",)
    budgets: tuple[Budget, ...] = ()
    rpm: int | None = None
    tpm: int | None = None
    allow_ips: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)

    def encode(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decode(cls, text: str) -> KeySpec:
        """From what `encode` made."""
        return msgspec.json.decode(text, type=cls)

    def shown(self) -> dict[str, Any]:
        """The fields as people write and read them."""
        return {
            "scopes": list(self.scopes),
            "models": list(self.models),
            "budgets": [show_budget(budget) for budget in self.budgets],
            "rpm": self.rpm,
            "tpm": self.tpm,
            "allow_ips": list(self.allow_ips),
            "tags": self.tags,
        }


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is asked for: a name, what the key may do, and until when (milliseconds since 1970)."""

    name: str
    spec: KeySpec
    expires_at: int | None = None


def read_key(fields: Mapping[str, object], now: int) -> NewKey:
    """A new key from its fields: texts, numbers, lists of texts; what is absent or None has its default.

    Raises `BadRequest` with the name of the first field that is wrong.
    """
    refuse_unknown(fields, ("name", *_READERS, "expires"))
    name = _read("name", _name, fields.get("name"))
    held = {name: value for name, value in fields.items() if value is not None}
    given = {name: _read(name, reader, held[name]) for name, reader in _READERS.items() if name in held}
    expires_at = _read("expires", lambda value: _expiry(value, now), held["expires"]) if "expires" in held else None
    return NewKey(name, KeySpec(**given), expires_at)


def refuse_unknown(fields: Iterable[str], known: Collection[str]) -> None:
    """Raise `BadRequest` when there is another field than the known ones; its name is given if it could be one."""
    for name in fields:
        if name not in known:
            raise BadRequest(f"The fields are {', '.join(known)}.", param=name if _FIELD.fullmatch(name) else None)


def is_name(text: str) -> bool:
    """Whether a key could have this name."""
    return _NAME.fullmatch(text) is not None


def _read(field_name: str, reader: Callable[[Any], T], value: object) -> T:
    try:
        return reader(value)
    except ValueError as error:
        raise BadRequest(f"`{field_name}` {error}.", param=field_name) from None


def _name(value: object) -> str:
    if not isinstance(value, str) or not is_name(value):
        raise ValueError(_NAME_RULE)
    if value in RESERVED_NAMES:
        raise ValueError("is the name of a caller without a managed key")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of texts")
    if len(value) > MAX_LIST:
        raise ValueError(f"must have at most {MAX_LIST} entries")
    return tuple(dict.fromkeys(value))


def _some(value: object) -> tuple[str, ...]:
    texts = _texts(value)
    if not texts:
        raise ValueError("must not be empty; leave it out for the default")
    return texts


def _scopes(value: object) -> tuple[str, ...]:
    scopes = _some(value)
    if not SCOPES.issuperset(scopes):
        raise ValueError(f"must be some of {', '.join(sorted(SCOPES))}")
    return tuple(sorted(scopes))


def _models(value: object) -> tuple[str, ...]:
    patterns = _some(value)
    if not all(_PATTERN.fullmatch(pattern) for pattern in patterns):
        raise ValueError("must be names of models or patterns such as gpt-4o* of at most 256 characters")
    return patterns


def _budgets(value: object) -> tuple[Budget, ...]:
    texts = _texts(value)
    try:
        budgets = tuple(map(parse_budget, texts))
    except ValueError as error:
        raise ValueError(f"must be amounts of USD for a period: {error}") from None
    if len({budget.period for budget in budgets}) < len(budgets):
        raise ValueError("must name each period once at most")
    return budgets


def _rate(value: object) -> int:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_RATE:
        raise ValueError(f"must be a whole number from 1 to {MAX_RATE}")
    return value


def _addresses(value: object) -> tuple[str, ...]:
    words = _texts(value)
    for position, word in enumerate(words, 1):
        if not _ADDRESS.fullmatch(word):
            raise ValueError(_ADDRESS_RULE.format(f"entry {position} is neither an address nor a CIDR block"))
    try:
        AddressList.parse(words)
    except ValueError as error:
        raise ValueError(_ADDRESS_RULE.format(error)) from None
    return tuple(word.strip() for word in words if word.strip())


def _tags(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_TAGS:
        raise ValueError(f"must be at most {MAX_TAGS} names with their values")
    for name, text in value.items():
        if not isinstance(name, str) or not _TAG.fullmatch(name):
            raise ValueError("must have names of 1 to 64 letters, digits and ._-")
        if not isinstance(text, str) or not _TAG_VALUE.fullmatch(text):
            raise ValueError("must have texts of 1 to 256 printable characters as values")
    return dict(value)


def _expiry(value: object, now: int) -> int:
    moment = parse_moment(value if isinstance(value, str) else "")
    if not now < moment < now + LONGEST_LIFE:
        raise ValueError("must be in the future and within 100 years")
    return moment


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "scopes": _scopes,
    "models": _models,
    "budgets": _budgets,
    "rpm": _rate,
    "tpm": _rate,
    "allow_ips": _addresses,
    "tags": _tags,
}
