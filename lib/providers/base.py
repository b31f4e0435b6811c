"""What the gateway asks of a provider, and what it gets back.

A provider takes one request in its own dialect and answers with bytes in that
dialect, as an HTTP server would: the gateway above it does not know vendors,
and a provider does not know callers, attempts, budgets or translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from lib.wire import Dialect, Path

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request for one provider, in the provider's dialect.

    `model` is the vendor's own name of the model; `body` already carries it.
    An iterable body is read once and cannot be sent again. `length` is its
    size in bytes when known. `headers` passed the allow list; they hold no
    credential. `connect_timeout` is in seconds. `credential` is the caller's own
    key with the vendor, for this call instead of the gateway's.
    """

    path: Path
    model: str
    body: bytes | Iterable[bytes]
    headers: Headers = field(default=())
    stream: bool = False
    content_type: str = "application/json"
    length: int | None = None
    connect_timeout: float = 5.0
    credential: str | None = field(default=None, repr=False)


class Answer(Protocol):
    """A provider's answer while it arrives. Nothing is sent before `start`.

    All waiting is done in slices, so that the gateway can send pings and watch
    its deadlines: a method that saw nothing for `patience` seconds says so and
    may be called again. Errors are from `lib.base.errors` (`VendorUnreachable`,
    `VendorProtocolError`, `VendorTimeout` for a connect timeout, `ClientGone`
    after `abort`).
    """

    @property
    def status(self) -> int:
        """The HTTP status, once `start` said that the head has come."""

    @property
    def headers(self) -> Headers:
        """The headers with names in lower case, likewise."""

    def start(self, patience: float) -> bool:
        """Connect and send (first call), then wait for the head. False: still silent."""

    def read(self, patience: float) -> bytes | None:
        """All bytes that have arrived; `b""` at the end; None: silent for `patience` seconds."""

    def abort(self) -> None:
        """Called from another greenlet: a waiting `start` or `read` raises `ClientGone`."""

    def close(self) -> None:
        """Let go of everything. The connection is reused only if the answer was read to its end."""


class Provider(Protocol):
    """A vendor, or the built-in echo.

    `asks_for_usage`: whether a stream of the OpenAI dialect must be asked for its usage.
    `token_limit`: what the OpenAI dialect's limit of new tokens is called there.
    `rests`: whether it is left alone for a while after repeated failures.
    `takes_callers_key`: whether it uses a request's `credential`; others never see one.
    """

    @property
    def name(self) -> str:
        """The name under which `models.toml` knows it."""

    @property
    def asks_for_usage(self) -> bool:
        """See above."""

    @property
    def token_limit(self) -> str:
        """See above."""

    @property
    def rests(self) -> bool:
        """See above."""

    @property
    def takes_callers_key(self) -> bool:
        """See above."""

    def maker(self, model: str) -> str:
        """Who made a model: the provider's own name, unless it serves the models of others."""

    def dialect(self, path: Path) -> Dialect | None:
        """The dialect in which this provider serves what `path` asks for; None: not served."""

    def send(self, outgoing: Outgoing) -> Answer:
        """Prepare the call. No byte leaves before `Answer.start`."""
