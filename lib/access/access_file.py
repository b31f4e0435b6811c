"""`access.toml`: whose tokens are accepted, and what their claims mean here.

The types below are the file's grammar: an unknown key or a wrong type is
refused with its place. `load_access` also checks what no type can say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from lib.access.amounts import parse_budget
from lib.access.caller import SCOPES
from lib.access.jwks import is_safe_url
from lib.base import Budget, SettingsError

Scalar = str | bool | int | float
AlgorithmName = Literal["RS256", "ES256"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DAY = 86_400.0


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `claims` must hold `value`, or one of several values; a claim that is a list may hold more.

    `unless` exempts: a claim's name and a pattern (`*`, `?`) for its text; one that fits is enough.
    """

    claims: tuple[str, ...]
    value: Scalar | tuple[Scalar, ...] = True
    unless: dict[str, str] = {}

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The values of which one is enough."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


class IssuerRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One issuer. `issuer` is the exact `iss`. Its keys are at `jwks_url`, or where its discovery document
    says, and are fetched anew after `keys_seconds`. `name_claim` names the caller, `budget_claim` the key
    under which its `budgets` (`50/month`, USD) are counted, its name without one. Scopes are `scopes` and
    the words of `scopes_claim`; `rpm` and `tpm` are requests and tokens a minute; `models` are patterns;
    `tags_claims` lists claims, or gives them other names."""

    issuer: str
    audience: str | tuple[str, ...]
    jwks_url: str | None = None
    discovery: bool = False
    algorithms: tuple[AlgorithmName, ...] = ("RS256",)
    keys_seconds: float = 300.0
    name_claim: str = "sub"
    scopes_claim: str | None = None
    scopes: tuple[str, ...] = ()
    budget_claim: str | None = None
    budgets: tuple[str, ...] = ()
    rpm: int | None = None
    tpm: int | None = None
    models: tuple[str, ...] = ("*",)
    tags_claims: tuple[str, ...] | dict[str, str] = ()
    required: tuple[Requirement, ...] | dict[str, Scalar | tuple[Scalar, ...]] = ()

    @property
    def audiences(self) -> frozenset[str]:
        """The audiences of which a token must name one."""
        return frozenset((self.audience,) if isinstance(self.audience, str) else self.audience)

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """What must hold, the short form `{ claim = value }` written out."""
        if isinstance(self.required, tuple):
            return self.required
        return tuple(Requirement((claim,), value) for claim, value in self.required.items())

    @property
    def tags(self) -> dict[str, str]:
        """Tags by name, each with the claim that it comes from."""
        return self.tags_claims if isinstance(self.tags_claims, dict) else {claim: claim for claim in self.tags_claims}

    @property
    def amounts(self) -> tuple[Budget, ...]:
        """The budgets, parsed. Raises ValueError."""
        return tuple(parse_budget(text) for text in self.budgets)


class AccessFile(msgspec.Struct, frozen=True):
    """The whole file: issuers by their names, which go to logs and records."""

    issuers: dict[str, IssuerRow] = {}


def load_access(path: Path) -> AccessFile:
    """Read and check the file; without one there are no issuers.

    Raises `SettingsError` with a line for each fault, naming the file and the place.
    """
    try:
        tables = _tables(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return AccessFile()
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}") from None
    issuers: dict[str, IssuerRow] = {}
    faults: list[str] = []
    for name, table in tables.items():
        try:
            issuers[name] = msgspec.convert(table, IssuerRow)
        except msgspec.ValidationError as error:
            faults.append(f"issuers.{name}: {error}")
    faults += _faults(issuers)
    if faults:
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in faults))
    return AccessFile(issuers)


class _Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    issuers: dict[str, dict[str, Any]] = {}


def _tables(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return msgspec.convert(document, _Tables).issuers


def _faults(issuers: dict[str, IssuerRow]) -> Iterator[str]:
    """What no type can say, each with its place."""
    seen: dict[str, str] = {}
    for name, row in issuers.items():
        place = f"issuers.{name}"
        if not _NAME.fullmatch(name):
            yield f"{place}: a name has up to 64 letters, digits, - and _"
        if (other := seen.setdefault(row.issuer, name)) != name:
            yield f"{place}.issuer: is the one of issuers.{other} too"
        for fault in (*_key_faults(row), *_claim_faults(row), *_limit_faults(row)):
            yield f"{place}.{fault}"


def _key_faults(row: IssuerRow) -> Iterator[str]:
    if not row.issuer:
        yield "issuer: is empty"
    if row.discovery is (row.jwks_url is not None):
        yield "jwks_url: either this or discovery = true"
    if row.jwks_url is not None and not is_safe_url(row.jwks_url):
        yield "jwks_url: must be a https URL, or http on loopback"
    if row.discovery and not is_safe_url(row.issuer):
        yield "issuer: must be a https URL, or http on loopback, for discovery"
    if not row.algorithms:
        yield "algorithms: is empty"
    if not 0 < row.keys_seconds <= _DAY:
        yield "keys_seconds: must be a number of seconds above 0, a day at most"


def _claim_faults(row: IssuerRow) -> Iterator[str]:
    if not row.audiences or "" in row.audiences:
        yield "audience: is empty"
    for name in ("name_claim", "scopes_claim", "budget_claim"):
        if getattr(row, name) == "":
            yield f"{name}: is empty"
    for position, requirement in enumerate(row.requirements, 1):
        if not requirement.claims or "" in requirement.claims or not requirement.values:
            yield f"required: entry {position} needs a claim and a value"


def _limit_faults(row: IssuerRow) -> Iterator[str]:
    if not SCOPES.issuperset(row.scopes):
        yield f"scopes: there are {', '.join(sorted(SCOPES))}"
    if not row.models or "" in row.models:
        yield "models: is empty"
    periods = set()
    for position, budget in enumerate(row.budgets, 1):
        try:
            period = parse_budget(budget).period
        except ValueError as error:
            yield f"budgets: entry {position}: {error}"
            continue
        if period in periods:  # one line of the books cannot be changed twice at once
            yield f"budgets: entry {position}: is the second for one period"
        periods.add(period)
    for name in ("rpm", "tpm"):
        limit = getattr(row, name)
        if limit is not None and limit < 1:
            yield f"{name}: must be at least 1"
