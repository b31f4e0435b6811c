"""Floor 2: who may enter."""

from lib.access.access_file import AccessFile, IssuerRow, Requirement, load_access, parse_budget
from lib.access.addresses import AddressList, client_address
from lib.access.caller import ADMIN, ANONYMOUS, EVERYTHING, FAMILIES, LOCAL, SCOPES, Caller
from lib.access.failures import Failures
from lib.access.identity import TokenIdentity
from lib.access.main_keys import MainKeys
from lib.access.token_parts import looks_like_token
from lib.access.tokens import Tokens

__all__ = [
    "ADMIN",
    "ANONYMOUS",
    "EVERYTHING",
    "FAMILIES",
    "LOCAL",
    "SCOPES",
    "AccessFile",
    "AddressList",
    "Caller",
    "Failures",
    "IssuerRow",
    "MainKeys",
    "Requirement",
    "TokenIdentity",
    "Tokens",
    "client_address",
    "load_access",
    "looks_like_token",
    "parse_budget",
]
