"""Who is calling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """A known caller. `name` goes to logs and records; it is never a secret or derived from one."""

    name: str


ANONYMOUS = Caller("anonymous")
"""Whoever calls an open route, or a development server without a key."""
