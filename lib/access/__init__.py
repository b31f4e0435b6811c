"""Floor 2: who may enter."""

from lib.access.access_file import AccessFile, IssuerRow, Requirement, load_access
from lib.access.addresses import AddressList, client_address
from lib.access.amounts import parse_budget, show_budget
from lib.access.api_keys import DEFAULT_OVERLAP, Issued, ManagedKey, ManagedKeys
from lib.access.caller import ADMIN, ANONYMOUS, EVERYTHING, FAMILIES, LOCAL, SCOPES, Caller
from lib.access.callers import Callers, Doors
from lib.access.credentials import AGENTS, MAIN, EnvironmentKeys
from lib.access.failures import Failures
from lib.access.identity import TokenIdentity
from lib.access.key_spec import refuse_unknown
from lib.access.token_parts import looks_like_token
from lib.access.tokens import Tokens

__all__ = [
    "ADMIN",
    "AGENTS",
    "ANONYMOUS",
    "DEFAULT_OVERLAP",
    "EVERYTHING",
    "FAMILIES",
    "LOCAL",
    "MAIN",
    "SCOPES",
    "AccessFile",
    "AddressList",
    "Caller",
    "Callers",
    "Doors",
    "EnvironmentKeys",
    "Failures",
    "Issued",
    "IssuerRow",
    "ManagedKey",
    "ManagedKeys",
    "Requirement",
    "TokenIdentity",
    "Tokens",
    "client_address",
    "load_access",
    "looks_like_token",
    "parse_budget",
    "refuse_unknown",
    "show_budget",
]
