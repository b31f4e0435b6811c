"""Floor 2: who may enter."""

from lib.access.addresses import AddressList, client_address
from lib.access.caller import ADMIN, ANONYMOUS, EVERYTHING, FAMILIES, LOCAL, SCOPES, Caller
from lib.access.failures import Failures
from lib.access.main_keys import MainKeys

__all__ = [
    "ADMIN",
    "ANONYMOUS",
    "EVERYTHING",
    "FAMILIES",
    "LOCAL",
    "SCOPES",
    "AddressList",
    "Caller",
    "Failures",
    "MainKeys",
    "client_address",
]
