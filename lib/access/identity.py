"""Who a verified token says is calling, in the words of `access.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from lib.access.access_file import IssuerRow, Requirement, Scalar
from lib.access.token_parts import refused
from lib.base import Budget

MAX_TEXT = 256  # characters of a name, a budget key, a tag or a scope


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """A caller who showed a token. `issuer` is its name in `access.toml`; `name` and `budget_key` are unique
    within an issuer only; `claims` is everything the token says, and
    is not shown when this is written down."""

    issuer: str
    name: str
    scopes: frozenset[str]
    budget_key: str | None
    budgets: tuple[Budget, ...]
    rpm: int | None
    tpm: int | None
    models: tuple[str, ...]
    tags: Mapping[str, str]
    claims: Mapping[str, Any] = field(repr=False)


def identify(issuer: str, row: IssuerRow, claims: Mapping[str, Any]) -> TokenIdentity:
    """The caller of a token whose signature and times are right.

    Raises `Unauthorized` when a required claim does not hold, or there is no name or budget key.
    """
    for requirement in row.requirements:
        if not _holds(requirement, claims) and not _is_exempt(requirement, claims):
            raise refused(f"required {requirement.claims[0]}")
    name = _text(claims.get(row.name_claim))
    if name is None:
        raise refused("name")
    return TokenIdentity(
        issuer=issuer,
        name=name,
        scopes=frozenset((*row.scopes, *_words(claims.get(row.scopes_claim) if row.scopes_claim else None))),
        budget_key=_budget_key(row, claims, name),
        budgets=row.amounts,
        rpm=row.rpm,
        tpm=row.tpm,
        models=row.models,
        tags=MappingProxyType(dict(_tags(row, claims))),
        claims=MappingProxyType(dict(claims)),
    )


def _budget_key(row: IssuerRow, claims: Mapping[str, Any], name: str) -> str | None:
    """Under which the budgets are counted; None when there are none, and nothing is named."""
    if row.budget_claim is None:
        return name if row.budgets else None
    key = _text(claims.get(row.budget_claim))
    if key is None:  # a caller without its key would spend without its limit
        raise refused("budget key")
    return key


def _tags(row: IssuerRow, claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tags of the claims that can be written as one; the others are left out."""
    for tag, claim in row.tags.items():
        value = claims.get(claim)
        text = str(value).lower() if isinstance(value, bool) else _text(value)
        if text is not None:
            yield tag, text


def _words(value: object) -> Iterator[str]:
    """The scopes of a claim: the texts of a list, or the words of a text (RFC 6749, 3.3); whole words only."""
    words = value.split(" ") if isinstance(value, str) else value if isinstance(value, list) else []
    for word in words:
        if isinstance(word, str) and " " not in word and _text(word):
            yield word


def _text(value: object) -> str | None:
    """A text, or an integer as one, that may be a name; None for everything else."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else value
    if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT or text != text.strip():
        return None
    return None if any(character < " " or "\x7f" <= character < "\xa0" for character in text) else text


def _holds(requirement: Requirement, claims: Mapping[str, Any]) -> bool:
    return any(
        _same(held, value)
        for claim in requirement.claims
        for held in _as_list(claims.get(claim))
        for value in requirement.values
    )


def _is_exempt(requirement: Requirement, claims: Mapping[str, Any]) -> bool:
    return any(
        fnmatchcase(text, pattern)
        for claim, pattern in requirement.unless.items()
        if isinstance(text := claims.get(claim), str)
    )


def _same(held: object, value: Scalar) -> bool:
    """Equal and of one type: neither 1 nor "true" is true."""
    return type(held) is type(value) and held == value


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
