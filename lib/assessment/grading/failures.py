"""What the gateway's failures mean to a client of grading.

It tries again on 429, 503 and 504, counts 503 and 504 by the provider's name in the text, tells the teacher of a 413
that the program is too large, and gives up on everything else. No words of a vendor are passed on.
"""

from __future__ import annotations

from collections.abc import Mapping

from lib.base.errors import (
    AIProxyError,
    BadRequest,
    BodyTooLarge,
    ClientGone,
    Draining,
    RateLimited,
    UnknownModel,
    VendorError,
    VendorOverloaded,
    VendorRefused,
    VendorRejectedUs,
    VendorTimeout,
)
from lib.wire import TOO_LONG

AGAIN = frozenset({429, 503, 504})  # what clients ask again after
PATIENCE = 3.0  # seconds of Retry-After where a vendor asks for patience and names no time
_OURS = frozenset({"temperature", "model", "n", "messages"})  # fields that a vendor may name


def is_passing(error: AIProxyError) -> bool:
    """Whether it may go better next time, as clients see it: more than an answer that cannot be used."""
    return error.retryable or error.status in AGAIN


def worst(failures: list[AIProxyError]) -> AIProxyError:
    """The failure to tell of several: who left, then what may go better next time."""
    gone = (error for error in failures if isinstance(error, ClientGone | Draining))
    again = (error for error in failures if error.status in AGAIN)
    return next(gone, None) or next(again, None) or failures[0]


def shown(error: AIProxyError, title: str, *, own_key: bool = False) -> AIProxyError:
    """The failure as the client gets it; `title` is the provider's name as it is written.

    `own_key`: the provider was called with the key of the request.
    """
    meaning = _meaning(error, title, own_key)
    if meaning is None:
        return error
    kind, message = meaning
    patience = PATIENCE if kind is RateLimited else None
    made = kind(
        message,
        detail=error.detail or f"{error.status} {error.code}",
        retry_after=error.retry_after or patience,
        provider=error.provider,
    )
    made.headers = error.headers
    made.code = error.code if made.status == error.status else made.code
    return made


def _meaning(error: AIProxyError, title: str, own_key: bool) -> tuple[type[AIProxyError], str] | None:
    """What to tell, and how; None when the failure can be told as it is."""
    if isinstance(error, UnknownModel):
        return BadRequest, "`model` does not exist or is not available here"
    if isinstance(error, VendorRefused):
        return _refused(error, title)
    if isinstance(error, VendorRejectedUs):
        return _rejected(title, own_key)
    found = (each for kind, each in _TRANSIENT.items() if isinstance(error, kind))
    told = next(found, None) if error.provider or not isinstance(error, RateLimited) else None
    return (told[0], f"{title} {told[1]}") if told else None


_TRANSIENT: Mapping[type[AIProxyError], tuple[type[AIProxyError], str]] = {
    RateLimited: (RateLimited, "is rate limiting requests. Try again later."),
    VendorTimeout: (VendorTimeout, "timeout: there was no answer in time."),
    VendorError: (VendorOverloaded, "server error. Try again later."),
    VendorOverloaded: (VendorOverloaded, "server error. Try again later."),
}
"""What may go better next time. Our own rates are none of a provider's."""


def _refused(error: VendorRefused, title: str) -> tuple[type[AIProxyError], str]:
    if error.code == TOO_LONG or error.status == 413:
        what = "the program, with the prompt and the rubric, is too long for the model"
        return BodyTooLarge, f"student: {what} ({title})"
    named = f": it does not take this `{error.param}`" if error.param in _OURS else ""
    return BadRequest, f"{title} refused the request{named}"


def _rejected(title: str, own_key: bool) -> tuple[type[AIProxyError], str]:
    if own_key:
        return BadRequest, f"{title} refused the `api-key` of the request"
    return VendorRejectedUs, f"{title} refused the gateway's key, permissions or account"
