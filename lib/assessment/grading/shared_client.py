"""One client, watched by several calls at once."""

from __future__ import annotations

from collections.abc import Callable

from lib.gateway import Client


class SharedClient:
    """Hands out parts of a client; whoever leaves, leaves all of them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._parts: list[Part] = []
        client.on_leave(self._leave)

    def part(self) -> Part:
        """The client as one call sees it."""
        part = Part(self.client)
        self._parts.append(part)
        return part

    def _leave(self) -> None:
        for part in self._parts:
            part.leave()


class Part:
    """A client of one call; see `lib.gateway.Client`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._act: Callable[[], None] | None = None

    @property
    def gone(self) -> bool:
        """Whether the client closed its connection."""
        return self._client.gone

    @property
    def ended(self) -> bool:
        """Whether the server can wait no longer."""
        return self._client.ended

    def on_leave(self, act: Callable[[], None]) -> None:
        """Run `act` when either happens, at once if it has; the latest one counts."""
        self._act = act
        if self.gone or self.ended:
            act()

    def pause(self, seconds: float) -> None:
        """Sleep, but wake when either happens."""
        self._client.pause(seconds)

    def leave(self) -> None:
        """It has happened."""
        if self._act is not None:
            self._act()
