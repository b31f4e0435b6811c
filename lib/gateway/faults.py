"""What a vendor's refusal means: by its status first, its code second, its words where nothing else tells."""

from __future__ import annotations

import email.utils
import math
from collections.abc import Iterable
from time import time

import msgspec

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
from lib.telemetry import redact
from lib.wire import TOO_LONG, is_too_long, read_error

_MAY_BE_TOO_LONG = frozenset({400, 413, 422})
_CALLERS_OWN = frozenset({400, 404, 405, 409, 410, 413, 415, 422, 451})
_BY_STATUS: dict[int, type[AIProxyError]] = {
    408: VendorTimeout,
    429: RateLimited,
    503: VendorOverloaded,
    504: VendorTimeout,
    529: VendorOverloaded,
}
_NO_CREDIT = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached", "credit_balance_too_low"})
_NO_CREDIT_MESSAGE = "The model provider refused the call: the gateway's account with it has no credit left."
_LIMITED_MESSAGE = "The model provider is rate limiting requests."
LONGEST_WAIT = 24 * 3600.0  # seconds of Retry-After that are believed


def refusal(status: int, headers: Iterable[tuple[str, str]], body: bytes, provider: str) -> AIProxyError:
    """The error for a vendor's answer other than 2xx. `body` may be anything.

    What concerns the caller's own request keeps the vendor's words and status. What concerns the gateway's
    key, account or permissions is never shown as the caller's: a 401 here would blame the wrong key.
    """
    said = read_error(body)
    detail = f"{status} {said.type or ''} {said.code or ''}".strip()
    if status == 402 or {said.code, said.type} & _NO_CREDIT:
        return VendorRejectedUs(_NO_CREDIT_MESSAGE, detail=detail, provider=provider)
    if status in _CALLERS_OWN:
        message = redact(said.message) or "The model provider refused the request."
        code = said.code or (TOO_LONG if status in _MAY_BE_TOO_LONG and is_too_long(said.message) else None)
        refused = VendorRefused(message, status=status, code=code, param=said.param, provider=provider)
        refused.body = body if said.message and _may_be_shown(body) else None
        return refused
    kind = _BY_STATUS.get(status)
    if kind is None:
        kind = VendorError if status >= 500 else VendorRejectedUs if status >= 400 else VendorProtocolError
    return kind(
        _LIMITED_MESSAGE if kind is RateLimited else None,
        detail=f"{detail}: {said.message}" if status >= 500 else detail,
        retry_after=retry_after(headers),
        provider=provider,
    )


def _may_be_shown(body: bytes) -> bool:
    """Whether an error body is an object, as every dialect's are, and holds nothing to hide."""
    try:
        return isinstance(msgspec.json.decode(body), dict) and redact(body.decode()) == body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def clean(error: AIProxyError, credential: str | None = None) -> None:
    """Take secrets out of what will be shown or logged: a vendor's own words may quote the key that it was shown.

    `credential` is the caller's own, which no redaction knows.
    """
    error.message = _without(credential, redact(error.message))
    error.param = _without(credential, redact(error.param)) if error.param else error.param
    error.code = _without(credential, redact(error.code))
    error.detail = _without(credential, error.detail) if error.detail else error.detail
    if credential and isinstance(error, VendorRefused) and error.body and credential.encode() in error.body:
        error.body = None


def _without(credential: str | None, text: str) -> str:
    return text.replace(credential, "[hidden]") if credential else text


def retry_after(headers: Iterable[tuple[str, str]], now: float | None = None) -> float | None:
    """Seconds a vendor asks to wait: `retry-after-ms`, or Retry-After as seconds or a date (RFC 9110 10.2.3)."""
    named = dict(headers)
    milliseconds = _number(named.get("retry-after-ms", ""))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    value = named.get("retry-after", "").strip()
    if value[:1].isdigit() and "," not in value:
        seconds = _number(value)
        return None if seconds is None else _bounded(seconds)
    try:
        then = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return _bounded(then - (time() if now is None else now))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_WAIT)
