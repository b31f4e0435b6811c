"""What the load generator is asked, and what it answers."""

from __future__ import annotations

import msgspec


class Job(msgspec.Struct, frozen=True):
    """What to do: for `seconds`, whole answers in a closed loop on every connection; or, when `events` is set, one
    stream of at least so many events on each. What is not answered within `limit` seconds is a fault."""

    url: str
    body: str
    key: str
    connections: int
    limit: float
    seconds: float = 0.0
    events: int = 0
    mark: str = ""  # occurs in every good whole answer


class Result(msgspec.Struct, frozen=True):
    """What came of it. `answers` counts good ones, `faults` the others by what was wrong; `seconds` is from the first
    connection to the last answer; `wait` lists milliseconds, sorted: to the end of a whole answer, to the first
    event of a stream. `busy` is the part of a core that the generator itself took."""

    answers: int
    faults: dict[str, int]
    seconds: float
    events: int
    wait: list[float]
    busy: float
