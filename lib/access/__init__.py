"""Floor 2: who may enter."""

from lib.access.addresses import AddressList, client_address
from lib.access.amounts import parse_budget, show_budget
from lib.access.api_keys import DEFAULT_OVERLAP, Issued, ManagedKey, ManagedKeys
from lib.access.caller import ADMIN, ANONYMOUS, EVERYTHING, FAMILIES, LOCAL, SCOPES, Caller
from lib.access.callers import Callers, Doors
from lib.access.credentials import AGENTS, MAIN, EnvironmentKeys
from lib.access.failures import Failures

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
    "AddressList",
    "Caller",
    "Callers",
    "Doors",
    "EnvironmentKeys",
    "Failures",
    "Issued",
    "ManagedKey",
    "ManagedKeys",
    "client_address",
    "parse_budget",
    "show_budget",
]
