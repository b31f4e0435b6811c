"""Around each request: its id, its time, its access line and its counters.

It stands outside Flask, so that every answer passes it: 404s, errors, and
streams to their last byte.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Any

from flask import Flask

from lib.gateway import Record
from lib.wiring import Services
from src.context import OBSERVATION, Observation

_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
StartResponse = Callable[..., Any]


def install(app: Flask, services: Services) -> None:
    """Put the observer around the application."""
    app.wsgi_app = Observer(app.wsgi_app, services)  # type: ignore[method-assign]


class Observer:
    """WSGI middleware."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], services: Services) -> None:
        self._inner = inner
        self._settler = services.settler
        self._random = random.Random(os.urandom(32))  # noqa: S311  ids need to differ, not to be secret

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _SANE_ID.fullmatch(given) else f"{self._random.getrandbits(128):032x}"
        seen = environ[OBSERVATION] = Observation(request_id)
        record = seen.record
        path = environ["PATH_INFO"]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            record.status = int(status[:3])
            headers.extend(_rates(record, headers))
            headers.append(("X-Request-ID", request_id))
            headers.append(("X-Process-Time", f"{monotonic() - record.started:.6f}"))
            if path.startswith("/v1/messages") and not any(name.lower() == "request-id" for name, _ in headers):
                headers.append(("request-id", request_id))  # where Anthropic's SDKs look for it
            return start_response(status, headers, exc_info)

        self._settler.entered()
        try:
            body = self._inner(environ, start)
        except BaseException:  # the worker is being stopped: even then the request is written down
            self._over(environ["REQUEST_METHOD"], seen)
            raise
        return Observed(body, lambda: self._over(environ["REQUEST_METHOD"], seen))

    def _over(self, method: str, seen: Observation) -> None:
        self._settler.finished(seen.request_id, method, seen.route, seen.record)


def _rates(record: Record, headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a caller with rates is told, where a feature makes its answer of the gateway's."""
    found = record.admission.headers() if record.admission is not None else []
    said = {name.lower() for name, _ in headers} if found else ()
    return [(name, value) for name, value in found if name not in said]


class Observed:
    """An answer whose end is noticed. The server iterates over the answer itself, at no extra cost."""

    def __init__(self, body: Iterable[bytes], over: Callable[[], None]) -> None:
        self._body = body
        self._over: Callable[[], None] | None = over

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """Close the answer, then write down that it is over; once."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            over, self._over = self._over, None
            if over is not None:
                over()
