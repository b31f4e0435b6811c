"""From a verified token to its caller."""

from __future__ import annotations

import hashlib

from lib.access.caller import SCOPES, Caller
from lib.access.identity import TokenIdentity

MAX_NAME = 256  # characters that records keep


def caller_of(identity: TokenIdentity) -> Caller:
    """The caller of a token. No managed key can have a name with a colon, and no two issuers have the same name.

    Scopes that are not ours are left out.
    """
    return Caller(
        name=_short(f"{identity.issuer}:{identity.name}"),
        scopes=identity.scopes & SCOPES,
        models=identity.models,
        budgets=identity.budgets,
        owner=f"token:{identity.issuer}/{identity.budget_key or identity.name}",
        rpm=identity.rpm,
        tpm=identity.tpm,
        tags=identity.tags,
    )


def _short(name: str) -> str:
    """A name as records keep it: what does not fit ends with a hash of all of it, since names show whose a row is."""
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"{name[: MAX_NAME - len(digest) - 1]}~{digest}"
