"""Who may enter. Every blueprint is registered with one of these; there is no default."""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from lib.access import ANONYMOUS, Caller
from lib.base import Settings
from lib.wiring import Services

Guard = Callable[[Services], Caller]


def open_to_all(services: Services) -> Caller:
    """Anyone: costs nothing and shows nothing."""
    del services
    return ANONYMOUS


def needs_key(services: Services) -> Caller:
    """Whoever shows a valid key or token, in any of its three forms. Raises what `Callers.identify` does."""
    elsewhere = services.callers.is_open and _from_elsewhere(services.settings)
    return services.callers.identify(request.headers, request.remote_addr, elsewhere=elsewhere)


def _from_elsewhere(settings: Settings) -> bool:
    """Whether a page of another site, or a proxy, made this request: an open server is open to neither.

    Browsers say so in `Sec-Fetch-Site` (W3C, Fetch Metadata) or `Origin`, proxies in their own headers.
    """
    headers = request.headers
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return True
    origin = headers.get("Origin")
    allowed = (request.host_url.rstrip("/"), *settings.allowed_origins)
    return "Forwarded" in headers or "X-Forwarded-For" in headers or (origin is not None and origin not in allowed)
