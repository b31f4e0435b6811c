"""Floor 3: the gateway. A feature calls this and nothing below it."""

from lib.gateway.call import Call, Client, Record, Reply
from lib.gateway.choose import Chooser
from lib.gateway.circuit import Circuit
from lib.gateway.headers import upward
from lib.gateway.meter import Meter, Terms
from lib.gateway.opening import Persistence
from lib.gateway.service import Behaviour, Gateway, Limits
from lib.gateway.settle import Settler

__all__ = [
    "Behaviour",
    "Call",
    "Chooser",
    "Circuit",
    "Client",
    "Gateway",
    "Limits",
    "Meter",
    "Persistence",
    "Record",
    "Reply",
    "Settler",
    "Terms",
    "upward",
]
