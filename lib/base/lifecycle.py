"""Where a worker is between its start and its end."""

from __future__ import annotations

from typing import Literal

State = Literal["starting", "ready", "draining"]


class Lifecycle:
    """`state` says whether new traffic is welcome. A worker that drains never becomes ready again."""

    def __init__(self) -> None:
        self.state: State = "starting"

    def ready(self) -> None:
        """Everything is made; traffic may come."""
        if self.state == "starting":
            self.state = "ready"

    def drain(self) -> None:
        """The worker was told to stop: balancers should send traffic elsewhere."""
        self.state = "draining"
