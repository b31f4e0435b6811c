"""From a verified token to its caller."""

from __future__ import annotations

from lib.access.caller import SCOPES, Caller
from lib.access.identity import TokenIdentity

MAX_NAME = 256  # characters that records keep


def caller_of(identity: TokenIdentity) -> Caller:
    """The caller of a token. No managed key can have a name with a colon, and no two issuers have the same name.

    Scopes that are not ours are left out.
    """
    return Caller(
        name=f"{identity.issuer}:{identity.name}"[:MAX_NAME],
        scopes=identity.scopes & SCOPES,
        models=identity.models,
        budgets=identity.budgets,
        owner=f"token:{identity.issuer}/{identity.budget_key or identity.name}",
        rpm=identity.rpm,
        tpm=identity.tpm,
        tags=identity.tags,
    )
