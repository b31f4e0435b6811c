"""Who may enter a development server without any key: whoever sits at its machine."""

from __future__ import annotations

from lib.access.caller import LOCAL, Caller
from lib.base import is_loopback, is_this_machine
from lib.base.errors import Unauthorized


def from_this_machine(host: str, peer: str | None) -> Caller:
    """Anyone on this machine, however the server was bound; but no web page that points a name of its own here.

    `host` is the Host header. Raises `Unauthorized`.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not is_loopback(peer or "") or not is_this_machine(name.strip("[]")):
        raise Unauthorized("No AIPROXY_API_KEY is set: only this machine may call, as localhost.")
    return LOCAL
