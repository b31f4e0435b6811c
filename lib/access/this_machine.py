"""Who may enter a development server without any key: whoever sits at its machine."""

from __future__ import annotations

import ipaddress

from lib.access.caller import LOCAL, Caller
from lib.base.errors import Unauthorized


def from_this_machine(host: str, peer: str | None) -> Caller:
    """Anyone on this machine, however the server was bound; but no web page that points a name of its own here.

    `host` is the Host header. Raises `Unauthorized`.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not _is_loopback(peer) or not (name == "localhost" or _is_loopback(name.strip("[]"))):
        raise Unauthorized("No AIPROXY_API_KEY is set: only this machine may call, as localhost.")
    return LOCAL


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
