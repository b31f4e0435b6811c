"""From a request's headers and its peer's address to the caller: the one place where all ways in come together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from lib.access.addresses import AddressList, client_address
from lib.access.caller import Caller
from lib.access.credentials import AGENTS, EnvironmentKeys, HeaderLookup, presented
from lib.access.failures import Failures
from lib.access.identity import TokenIdentity
from lib.access.key_form import looks_like_key
from lib.access.this_machine import from_this_machine
from lib.access.token_callers import caller_of
from lib.access.token_parts import looks_like_token
from lib.base.errors import AddressNotAllowed, AIProxyError, GatewayError, Unauthorized

Address = Callable[[], str | None]


class Verifier(Protocol):
    """What `Tokens` does."""

    def verify(self, token: str) -> TokenIdentity:
        """Who shows a token (JWT). Raises `Unauthorized`, `IssuerUnavailable`."""


class Finder(Protocol):
    """What `ManagedKeys` does for callers."""

    def find(self, key: str, address: Address) -> Caller | None:
        """Who holds a key. Raises `StoreUnavailable`."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The ways in.

    `tokens` is None when there are no issuers. `trusted` are the proxies whose X-Forwarded-For is believed,
    `agents_from` the addresses from which PROXY_API_KEY is good. `open_here`: no credential is needed on this
    machine.
    """

    environment: EnvironmentKeys
    managed: Finder
    tokens: Verifier | None = None
    trusted: AddressList = field(default_factory=AddressList)
    agents_from: AddressList = field(default_factory=AddressList)
    open_here: bool = False


class Callers:
    """Knows callers by their credentials, and slows down those who guess."""

    def __init__(self, doors: Doors, failures: Failures) -> None:
        self._doors = doors
        self.failures = failures
        self.is_open = doors.open_here

    def identify(self, headers: HeaderLookup, peer: str | None, *, elsewhere: bool = False) -> Caller:
        """The caller behind a request. `elsewhere`: a page of another site, or a proxy, may have made it.

        Raises `Unauthorized`, the same whatever is wrong with a credential; `RateLimited` after repeated
        failures; `AddressNotAllowed` outside ALLOWED_IPS, whatever the credential; `StoreUnavailable` and the like
        when nobody can tell.
        """
        doors = self._doors
        shown = presented(headers)
        address = cache(lambda: client_address(peer, headers.get("X-Forwarded-For", ""), doors.trusted))
        try:
            return self._known(shown, address)
        except Unauthorized:
            if doors.open_here and not any(self._has_form(credential) for credential in shown):
                return from_this_machine(headers.get("Host", ""), None if elsewhere else peer)
            if shown:
                self.failures.failed(address())
                if not doors.agents_from.admits(address()):
                    raise AddressNotAllowed from None
            raise

    def _known(self, shown: Sequence[str], address: Address) -> Caller:
        """Whose credential one of these is. What cannot be told matters only when no other one is good."""
        caller = self._doors.environment.find(shown)
        if caller is not None and (caller is not AGENTS or self._doors.agents_from.admits(address())):
            return caller
        refusal: AIProxyError = Unauthorized()
        for credential in shown:
            try:
                return self._holder(credential, address)
            except (Unauthorized, GatewayError) as error:
                if not isinstance(refusal, GatewayError):
                    refusal = error
        raise refusal

    def _holder(self, credential: str, address: Address) -> Caller:
        """Who holds a managed key or a token."""
        if self._doors.tokens is not None and looks_like_token(credential):
            return caller_of(self._doors.tokens.verify(credential))
        caller = self._doors.managed.find(credential, address)
        if caller is None:
            raise Unauthorized
        return caller

    def _has_form(self, credential: str) -> bool:
        """Whether a credential is meant for one of the ways in, so that even an open server must know it."""
        return looks_like_key(credential) or (self._doors.tokens is not None and looks_like_token(credential))
