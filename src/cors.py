"""Browsers of other origins: only those that ALLOWED_ORIGINS names, exactly (Fetch Standard, CORS protocol)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

_RATES = (f"x-ratelimit-{what}-{kind}" for what in ("limit", "remaining", "reset") for kind in ("requests", "tokens"))
_EXPOSED = ", ".join(("X-Request-ID", "X-Process-Time", "Retry-After", "X-Next-Cursor", "X-Truncated", *_RATES))
_PREFLIGHT = [
    ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    ("Access-Control-Max-Age", "600"),
    ("Content-Length", "0"),
]


def install(app: Flask, origins: Iterable[str]) -> None:
    """Answer preflight requests and mark answers, for `origins` alone. Nothing is added without any."""
    allowed = frozenset(origins)
    if allowed:
        app.wsgi_app = Cors(app.wsgi_app, allowed)  # type: ignore[method-assign]


class Cors:
    """WSGI middleware."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], allowed: frozenset[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        marks = [("Vary", "Origin")]
        if origin in self._allowed:
            marks += [("Access-Control-Allow-Origin", str(origin)), ("Access-Control-Allow-Credentials", "true")]
            marks.append(("Access-Control-Expose-Headers", _EXPOSED))
            if environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
                asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
                start_response("204 No Content", [*marks, *_PREFLIGHT, ("Access-Control-Allow-Headers", asked)])
                return [b""]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, headers + marks, exc_info)

        return self._inner(environ, start)
