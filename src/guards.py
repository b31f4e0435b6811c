"""Who may enter. Every blueprint is registered with one of these; there is no default."""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from lib.access import ANONYMOUS, Caller
from lib.wiring import Services

Guard = Callable[[Services], Caller]


def open_to_all(services: Services) -> Caller:
    """Anyone: costs nothing and shows nothing."""
    del services
    return ANONYMOUS


def needs_key(services: Services) -> Caller:
    """Whoever holds a valid key, in any of its three forms. Raises `Unauthorized`."""
    return services.keys.identify(request.headers, request.remote_addr)
