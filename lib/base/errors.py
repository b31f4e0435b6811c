"""Every failure a caller can see, drawn as a tree.

A class knows its HTTP status, a stable machine-readable code, whether the same
call may succeed when repeated, and a message that is safe to show. Details for
the operator go to `detail`, which is logged and never rendered. The web floor
(`src/errors.py`) turns an error into a body in the caller's own dialect.

    AIProxyError
    ├── CallerError                    4xx: the caller can mend it
    │   ├── BadRequest                 400
    │   │   ├── Untranslatable         400, names the field
    │   │   ├── NotServed              400, the path and the model do not go together
    │   │   ├── Unpriced               400, a budget cannot hold what has no price
    │   │   ├── UnusableAnswer         400, a model's answer that holds no grades
    │   │   └── VendorRefused          the vendor's own 4xx, its words kept
    │   ├── Unauthorized               401
    │   ├── BudgetExceeded             402, says which budget and when it begins anew
    │   │   └── RunSpent               402, the budget of a run; 429 in the agents API
    │   ├── Forbidden                  403
    │   │   └── AddressNotAllowed      403
    │   ├── SlowRequest                408
    │   ├── NotFound                   404
    │   │   └── UnknownModel           404
    │   ├── MethodNotAllowed           405
    │   ├── BodyTooLarge               413
    │   ├── UnsupportedMediaType       415
    │   ├── InvalidFields              422, names every field at fault
    │   └── RateLimited                429, may carry retry_after
    ├── ClientGone                     499: nobody is left to answer
    └── GatewayError                   5xx: not the caller's fault
        ├── VendorError                502
        │   ├── VendorUnreachable      502
        │   ├── VendorProtocolError    502
        │   └── VendorRejectedUs       502, our key or our permissions
        ├── VendorOverloaded           503, may carry retry_after
        ├── VendorTimeout              504
        │   └── DeadlineExceeded       504
        ├── IssuerUnavailable          503, may carry retry_after
        ├── StoreFault                 503, a store refuses what we gave it
        ├── StoreUnavailable           503, a database or counter of ours
        │   └── StoreNotAsked          503, no turn in time, or it failed a moment ago
        └── Draining                   503
"""

from __future__ import annotations

from typing import NamedTuple


class AIProxyError(Exception):
    """A failure with a status, a code and a message that is safe to show.

    `message` goes to the caller. `detail` goes to the log only. `param` names
    the request field at fault. `retry_after` is in seconds. `provider` is the
    vendor's name when one was involved. `headers` go into the answer.
    """

    status = 500
    code = "internal_error"
    message = "The gateway failed to handle this request."
    retryable = False
    headers: tuple[tuple[str, str], ...] = ()

    def __init__(
        self,
        message: str | None = None,
        *,
        param: str | None = None,
        detail: str | None = None,
        retry_after: float | None = None,
        provider: str | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.param = param
        self.detail = detail
        self.retry_after = retry_after
        self.provider = provider
        super().__init__(self.message)


class CallerError(AIProxyError):
    """The caller can mend it: a 4xx."""

    status = 400
    code = "bad_request"
    message = "The request could not be understood."


class BadRequest(CallerError):
    """400: malformed or contradictory input."""


class Untranslatable(BadRequest):
    """400: a field that the chosen model's vendor has no equivalent for."""

    code = "unsupported_parameter"

    def __init__(self, param: str, reason: str | None = None) -> None:
        tail = f": {reason}" if reason else ""
        super().__init__(f"`{param}` is not supported by the chosen model{tail}.", param=param)


class NotServed(BadRequest):
    """400: the model exists, but its provider does not serve this path."""

    code = "unsupported_path"


class Unpriced(BadRequest):
    """400: the caller has a budget and the model, or what is asked of it, no price: nothing could be reserved."""

    code = "model_not_priced"
    message = "This model has no price here, so a key with a budget cannot call it."


class UnusableAnswer(BadRequest):
    """400: what the model answered is no grading of the program. Not the caller's fault, but the contract of graders.

    They do not try again on a 400, and the same question would be paid for once more.
    """

    code = "unusable_answer"
    message = "The model's answer could not be used."


class VendorRefused(BadRequest):
    """The vendor answered with a 4xx of its own that concerns the caller's request.

    `body` is the vendor's answer as it came, for a caller who speaks the vendor's dialect.
    """

    code = "invalid_request"
    body: bytes | None = None

    def __init__(
        self, message: str, *, status: int, code: str | None = None, param: str | None = None, provider: str
    ) -> None:
        super().__init__(message, param=param, provider=provider)
        self.status = status
        self.code = code or type(self).code


class Unauthorized(CallerError):
    """401: no key, or not a known one. Says nothing about which."""

    status = 401
    code = "invalid_api_key"
    message = "A valid API key is required."


class BudgetExceeded(CallerError):
    """402: the call could cost more than is left of a budget.

    `resets_at` is when the budget begins anew, in milliseconds since 1970; None when it never does.
    """

    status = 402
    code = "budget_exceeded"
    message = "The budget does not allow this call."

    def __init__(self, message: str | None = None, *, resets_at: int | None = None) -> None:
        super().__init__(message)
        self.resets_at = resets_at


class RunSpent(BudgetExceeded):
    """402: the call could cost more than is left of its run's budget. The agents API says 429."""

    code = "run_budget_exceeded"
    message = "The budget of this run does not allow this call."


class Forbidden(CallerError):
    """403: a known caller without the permission."""

    status = 403
    code = "permission_denied"
    message = "This key may not do that."


class AddressNotAllowed(Forbidden):
    """403: from where the caller is, nobody may call with this key."""

    code = "address_not_allowed"
    message = "This address may not call."


class SlowRequest(CallerError):
    """408: the rest of the request did not come in time."""

    status = 408
    code = "request_timeout"
    message = "The rest of the request did not come in time."


class NotFound(CallerError):
    """404: no such route or object."""

    status = 404
    code = "not_found"
    message = "There is nothing at this address."


class UnknownModel(NotFound):
    """404: a model name that leads to no provider this gateway may call."""

    code = "model_not_found"
    message = "The requested model does not exist or is not available here."

    def __init__(self, message: str | None = None, *, detail: str | None = None) -> None:
        super().__init__(message, param="model", detail=detail)


class MethodNotAllowed(CallerError):
    """405: the route exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    message = "This method is not allowed here."


class BodyTooLarge(CallerError):
    """413: over MAX_BODY_BYTES."""

    status = 413
    code = "request_too_large"
    message = "The request body is larger than this gateway accepts."


class UnsupportedMediaType(CallerError):
    """415: a content type the route does not take."""

    status = 415
    code = "unsupported_media_type"
    message = "The content type of the request is not supported here."


class Fault(NamedTuple):
    """One field at fault: the way to it, what is wrong, and a word for the kind of fault; nothing of the input."""

    loc: tuple[str | int, ...]
    msg: str
    type: str


class InvalidFields(CallerError):
    """422: fields that are missing or wrong."""

    status = 422
    code = "invalid_fields"
    message = "Some fields of the request are missing or wrong."

    def __init__(self, *faults: Fault) -> None:
        super().__init__(param=".".join(str(step) for step in faults[0].loc) if faults else None)
        self.faults = faults


class RateLimited(CallerError):
    """429: the vendor, or a limit of ours, asks for patience."""

    status = 429
    code = "rate_limit_exceeded"
    message = "Too many requests. Try again later."
    retryable = True


class ClientGone(AIProxyError):
    """The client closed its connection; there is nobody to answer (nginx's 499)."""

    status = 499
    code = "client_closed_request"
    message = "The client closed the connection."


class GatewayError(AIProxyError):
    """5xx: not the caller's fault."""

    status = 502
    code = "upstream_error"
    message = "The model provider failed."
    retryable = True


class VendorError(GatewayError):
    """502: the vendor answered with a server error or something unusable."""


class VendorUnreachable(VendorError):
    """502: no connection, or one that was lost before an answer."""

    code = "upstream_unreachable"
    message = "The model provider could not be reached."


class VendorProtocolError(VendorError):
    """502: an answer that is not what the protocol promises."""

    code = "upstream_invalid_response"
    message = "The model provider sent an invalid answer."


class VendorRejectedUs(VendorError):
    """502: the vendor refuses the gateway's own credentials or permissions."""

    code = "upstream_refused"
    message = "The model provider refused the gateway's credentials or permissions."
    retryable = False


class VendorOverloaded(GatewayError):
    """503: the vendor is overloaded, or rests after repeated failures."""

    status = 503
    code = "upstream_overloaded"
    message = "The model provider is overloaded. Try again later."


class VendorTimeout(GatewayError):
    """504: the vendor was silent for too long."""

    status = 504
    code = "upstream_timeout"
    message = "The model provider did not answer in time."


class DeadlineExceeded(VendorTimeout):
    """504: the whole call, retries included, took longer than allowed."""

    code = "deadline_exceeded"
    message = "The call took longer than this gateway allows."
    retryable = False


class IssuerUnavailable(GatewayError):
    """503: the issuer of a token cannot be asked for its keys: nothing is known of the token."""

    status = 503
    code = "identity_provider_unavailable"
    message = "The identity provider could not be reached. Try again later."


class StoreFault(GatewayError):
    """503: a store refuses what it was given. It is there; the fault is ours, and another try would not help."""

    status = 503
    code = "store_unavailable"
    message = "The gateway cannot keep its books on this call."
    retryable = False


class StoreUnavailable(GatewayError):
    """503: a store that is needed to answer is down or slow. It may have done what it was asked for after all."""

    code = "store_unavailable"
    status = 503
    message = "The gateway cannot keep its books at the moment. Try again later."


class StoreNotAsked(StoreUnavailable):
    """503: the store was not even asked. So many other calls wanted a turn, or it failed a moment ago."""


class Draining(GatewayError):
    """503: this worker is stopping."""

    status = 503
    code = "shutting_down"
    message = "The gateway is shutting down. Try again."
