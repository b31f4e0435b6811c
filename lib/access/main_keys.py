"""The main key of the environment, in the three forms clients send it."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from typing import Protocol

from lib.access.caller import EVERYTHING, LOCAL, Caller
from lib.base.errors import Unauthorized

MAIN = Caller("main", EVERYTHING)
_BEARER = "bearer "


class HeaderLookup(Protocol):
    """Header values by name, in whatever case."""

    def get(self, key: str, default: str, /) -> str:
        """The value, or the default."""


def presented(headers: HeaderLookup) -> list[str]:
    """The credentials a request shows: `Authorization` raw or as Bearer (RFC 6750), and `x-api-key`."""
    shown = []
    authorization = headers.get("Authorization", "").strip()
    if authorization:
        is_bearer = authorization[: len(_BEARER)].lower() == _BEARER
        shown.append(authorization[len(_BEARER) :].strip() if is_bearer else authorization)
    api_key = headers.get("X-Api-Key", "").strip()
    if api_key:
        shown.append(api_key)
    return shown


class MainKeys:
    """The keys of AIPROXY_API_KEY. Without any, and only if `open_without_key`, this machine may enter."""

    def __init__(self, keys: Iterable[str], *, open_without_key: bool = False) -> None:
        self._keys = tuple(key.encode() for key in keys)
        self.is_open = open_without_key and not self._keys

    def identify(self, headers: HeaderLookup, remote: str | None) -> Caller:
        """The caller behind a request's headers and peer address.

        Raises `Unauthorized`; takes the same time for any wrong key.
        """
        if self.is_open:
            return _from_this_machine(headers.get("Host", ""), remote)
        matches = False
        for credential in presented(headers):
            shown = credential.encode("latin-1", "replace")  # as WSGI decoded it (PEP 3333)
            for key in self._keys:
                matches |= hmac.compare_digest(shown, key)
        if not matches:
            raise Unauthorized
        return MAIN


def _from_this_machine(host: str, remote: str | None) -> Caller:
    """Anyone on this machine, however the server was bound; but no web page that points a name of its own here."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if not _is_loopback(remote) or not (name == "localhost" or _is_loopback(name.strip("[]"))):
        raise Unauthorized("No AIPROXY_API_KEY is set: only this machine may call, as localhost.")
    return LOCAL


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
