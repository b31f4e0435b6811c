"""Floor 3: the gateway. A feature calls this and nothing below it."""

from lib.gateway.call import Call, Client, Record, Reply
from lib.gateway.choose import Chooser
from lib.gateway.circuit import Circuit
from lib.gateway.headers import upward
from lib.gateway.opening import Persistence
from lib.gateway.service import Gateway, Limits
from lib.gateway.settle import Settler

__all__ = [
    "Call",
    "Chooser",
    "Circuit",
    "Client",
    "Gateway",
    "Limits",
    "Persistence",
    "Record",
    "Reply",
    "Settler",
    "upward",
]
