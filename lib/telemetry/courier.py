"""One HTTP POST, made by whoever has the time: a greenlet, or a process of its own."""

from __future__ import annotations

import http.client
import sys
import urllib.error
import urllib.request
from typing import Any

import msgspec

from lib.telemetry.logs import get_logger

SECONDS = 10  # without progress
log = get_logger("aiproxy.reports")


class Parcel(msgspec.Struct, frozen=True):
    """A body for an http(s) URL, with the headers it needs."""

    url: str
    headers: dict[str, str]
    body: bytes


def deliver(parcel: Parcel) -> None:
    """POST it. A failure is a line in the log, of a level that is not reported."""
    request = urllib.request.Request(parcel.url, parcel.body, parcel.headers)  # noqa: S310  http(s), says Parcel
    try:
        with urllib.request.build_opener(_StayHere).open(request, timeout=SECONDS) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        log.warning("an error report was refused", status=refusal.code)
    except (OSError, http.client.HTTPException) as failure:
        log.warning("an error report could not be sent", reason=str(failure))


def main() -> None:
    """Deliver the parcel on standard input."""
    deliver(msgspec.json.decode(sys.stdin.buffer.read(), type=Parcel))


class _StayHere(urllib.request.HTTPRedirectHandler):
    """What is in the headers goes to the given address only."""

    def redirect_request(self, *_args: Any) -> None:
        return None
