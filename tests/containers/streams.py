"""Streams that have begun, of which none may be cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from tests.drills.client import CHAT, MESSAGES, Connection


@dataclass
class Begun:
    """A stream that has begun, and what was read of it."""

    connection: Connection
    path: str
    first: bytes

    def whole(self) -> bytes:
        """All of it; fails when it is cut."""
        return self.first + b"".join(self.connection.blocks())

    def ended_well(self) -> bool:
        """Whether it came to the end that the model meant."""
        events = [json.loads(line[6:]) for line in self.whole().splitlines() if line.startswith(b"data: {")]
        if self.path == MESSAGES:
            return events[-1]["type"] == "message_stop"
        return any(event["choices"] and event["choices"][0]["finish_reason"] == "stop" for event in events)


@contextmanager
def streams(connect: Callable[[], Connection], model: str, number: int) -> Iterator[list[Begun]]:
    """So many streams that have begun, in two dialects by turns."""
    paths = [(CHAT, MESSAGES)[each % 2] for each in range(number)]
    with ExitStack() as stack:
        opened = [(stack.enter_context(closing(connect())), path) for path in paths]
        for connection, path in opened:
            connection.ask(model, path, stream=True)
        yield [Begun(connection, path, connection.events(1)) for connection, path in opened]


def cut(begun: list[Begun]) -> list[str]:
    """The streams that do not come to their end, when all are read."""
    return [stream.path for stream in begun if not stream.ended_well()]
