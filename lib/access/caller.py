"""Who is calling, and what that allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from lib.base import Budget

ADMIN = "admin"
FAMILIES = frozenset({"openai", "anthropic", "agents", "assessment", "chat", "suggestions"})
SCOPES = FAMILIES | {ADMIN}
EVERYTHING = SCOPES


@dataclass(frozen=True, slots=True)
class Caller:
    """A known caller. `name` goes to logs and records; it is never a secret or derived from one.

    `scopes` are API families, and `admin`. `models` are patterns of the names that may be asked for. `budgets`
    are kept under `owner`. `rpm` and `tpm` are requests and tokens a minute. `key` is a managed key's id.
    `run_required`: every call must belong to a run.
    """

    name: str
    scopes: frozenset[str] = frozenset()
    models: tuple[str, ...] = ("*",)
    budgets: tuple[Budget, ...] = ()
    owner: str = ""
    rpm: int | None = None
    tpm: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    run_required: bool = False

    def may_call(self, model: str) -> bool:
        """Whether the model may be asked for by this name."""
        return any(pattern == "*" or fnmatchcase(model, pattern) for pattern in self.models)


ANONYMOUS = Caller("anonymous")
"""Whoever calls an open route."""
LOCAL = Caller("anonymous", EVERYTHING)
"""Whoever calls a development server without a key, from its own machine."""
