"""What a request shows, and the keys of the environment."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from typing import Protocol

from lib.access.caller import EVERYTHING, Caller

MAIN = Caller("main", EVERYTHING, owner="main")
AGENTS = Caller("agents", frozenset({"agents", "openai", "anthropic"}), owner="agents", run_required=True)
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


class EnvironmentKeys:
    """The keys of AIPROXY_API_KEY, and those of PROXY_API_KEY."""

    def __init__(self, main: Iterable[str], agents: Iterable[str] = ()) -> None:
        self._main = tuple(key.encode() for key in main)
        self._agents = tuple(key.encode() for key in agents)

    def __bool__(self) -> bool:
        """Whether there is any key."""
        return bool(self._main or self._agents)

    def find(self, credentials: Sequence[str]) -> Caller | None:
        """Whose key one of the credentials is. Takes the same time for any wrong key."""
        is_main = is_agents = False
        for credential in credentials:
            shown = credential.encode("latin-1", "replace")  # as WSGI decoded it (PEP 3333)
            for key in self._main:
                is_main |= hmac.compare_digest(shown, key)
            for key in self._agents:
                is_agents |= hmac.compare_digest(shown, key)
        return MAIN if is_main else AGENTS if is_agents else None
