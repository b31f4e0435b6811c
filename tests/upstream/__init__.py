"""A local server that stands in for the vendors and misbehaves on purpose.

    with Upstream() as upstream:
        upstream.plan("error-503", "stream-20-0.1")
        ...
        upstream.wait(lambda seen: seen.cancelled)

`python -m tests.upstream --help` lists the behaviours. In tests use the
fixtures `upstream` and `gateway` of `tests/conftest.py`, or, for a whole
module, these classes as context managers in a fixture of your own.
"""

from tests.upstream.answers import right
from tests.upstream.gateway import Gateway, Gateways
from tests.upstream.ports import Ports, free_ports
from tests.upstream.recipe import Recipe
from tests.upstream.record import Call, Sent
from tests.upstream.server import Upstream
from tests.upstream.steps import Answer, Behaviour, Close, Cut, End, Hang, Send, Step, Steps, Wait, deliver

__all__ = [
    "Answer",
    "Behaviour",
    "Call",
    "Close",
    "Cut",
    "End",
    "Gateway",
    "Gateways",
    "Hang",
    "Ports",
    "Recipe",
    "Send",
    "Sent",
    "Step",
    "Steps",
    "Upstream",
    "Wait",
    "deliver",
    "free_ports",
    "right",
]
