"""What a vendor's refusal means: by its status first, its code second, its words never."""

from __future__ import annotations

import email.utils
from collections.abc import Iterable
from time import time

from lib.base.errors import (
    AIProxyError,
    RateLimited,
    VendorError,
    VendorOverloaded,
    VendorProtocolError,
    VendorRefused,
    VendorRejectedUs,
    VendorTimeout,
)
from lib.wire import read_error

_CALLERS_OWN = frozenset({400, 404, 405, 409, 410, 413, 415, 422, 451})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached", "credit_balance_too_low"})
_NO_CREDIT_MESSAGE = "The model provider refused the call: the gateway's account with it has no credit left."
LONGEST_WAIT = 24 * 3600.0  # seconds of Retry-After that are believed


def refusal(status: int, headers: Iterable[tuple[str, str]], body: bytes, provider: str) -> AIProxyError:
    """The error for a vendor's answer other than 2xx. `body` may be anything."""
    said = read_error(body)
    detail = f"{status} {said.type or ''} {said.code or ''}".strip()
    after = retry_after(headers)
    if said.code in _NO_CREDIT or said.type in _NO_CREDIT or status == 402:
        return VendorRejectedUs(_NO_CREDIT_MESSAGE, detail=detail, provider=provider)
    if status in _CALLERS_OWN:
        message = said.message or "The model provider refused the request."
        refused = VendorRefused(message, status=status, code=said.code, param=said.param, provider=provider)
        refused.body = body if said.message else None
        return refused
    if status == 429:
        message = "The model provider is rate limiting requests."
        return RateLimited(message, detail=detail, retry_after=after, provider=provider)
    if status in (408, 504):
        return VendorTimeout(detail=detail, retry_after=after, provider=provider)
    if status in (503, 529):
        return VendorOverloaded(detail=f"{detail}: {said.message}", retry_after=after, provider=provider)
    if status >= 500:
        return VendorError(detail=f"{detail}: {said.message}", retry_after=after, provider=provider)
    if status >= 400:
        return VendorRejectedUs(detail=detail, provider=provider)
    return VendorProtocolError(detail=f"unexpected status {status}", provider=provider)


def retry_after(headers: Iterable[tuple[str, str]], now: float | None = None) -> float | None:
    """Seconds a vendor asks to wait: `retry-after-ms`, or Retry-After as seconds or a date (RFC 9110 10.2.3)."""
    named = dict(headers)
    try:
        if "retry-after-ms" in named:
            return _bounded(float(named["retry-after-ms"]) / 1000)
        value = named.get("retry-after", "").strip()
        if not value:
            return None
        if value[0].isdigit() and "," not in value:
            return _bounded(float(value))
        then = email.utils.parsedate_to_datetime(value).timestamp()
        return _bounded(then - (time() if now is None else now))
    except (ValueError, OverflowError):
        return None


def _bounded(seconds: float) -> float | None:
    return min(max(seconds, 0.0), LONGEST_WAIT) if seconds == seconds else None
