"""What the ledger says of a call: the facts known before it is sent, and those known when it is over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from lib.stores import Line
from lib.wire import Usage

Exactness = Literal["exact", "estimated", "unpriced"]
NO_USAGE = Usage()
MOST = 2**40  # tokens of one call that are believed: the sums of many must be numbers that a store holds
MOST_COST = 10**15  # nano-USD, a million dollars, likewise
MAX_CODE = 64  # characters of an error's code, which may be a vendor's
_encode = msgspec.json.encode


def new_id(now: int) -> str:
    """A call's id: 32 hexadecimal digits that sort by time, `now` in milliseconds since 1970 (as in RFC 9562, 5.7)."""
    return f"{now:012x}{os.urandom(10).hex()}"


def id_at(now: int) -> str:
    """What stands before the id of every call from `now` on, and behind all earlier ones."""
    return f"{max(now, 0):012x}"


class Facts(msgspec.Struct, frozen=True):
    """A call before it is sent. `time` is in milliseconds since 1970."""

    time: int
    request_id: str | None
    caller: str
    key: str | None
    run: str | None
    tags: Mapping[str, str]
    family: str
    route: str
    model_asked: str
    stream: bool

    def entry(self) -> dict[str, Any]:
        """The columns that are known."""
        return {
            "time": self.time,
            "request_id": self.request_id,
            "caller": self.caller,
            "key": self.key,
            "run": self.run,
            "tags": _encode(self.tags, order="sorted").decode() if self.tags else None,
            "family": self.family,
            "route": self.route,
            "model_asked": self.model_asked,
            "stream": self.stream,
        }


class Outcome(msgspec.Struct, frozen=True):
    """A call that is over. `cost` is in nano-USD; times are in seconds from its arrival."""

    model_served: str | None
    provider: str | None
    attempts: int
    status: int
    error: str | None
    usage: Usage | None
    cost: int
    exactness: Exactness
    first_byte: float | None
    seconds: float
    gone: bool

    def columns(self) -> dict[str, Any]:
        """Its columns."""
        usage = self.usage or NO_USAGE
        return {
            "model_served": self.model_served,
            "provider": self.provider,
            "attempts": self.attempts,
            "status": self.status,
            "error": _plain(self.error) if self.error else None,
            "input_tokens": min(usage.input_tokens, MOST),
            "output_tokens": min(usage.output_tokens, MOST),
            "cache_read_tokens": min(usage.cache_read_tokens, MOST),
            "cache_write_tokens": min(usage.cache_write_tokens + usage.cache_write_1h_tokens, MOST),
            "reasoning_tokens": min(usage.reasoning_tokens, MOST),
            "cost": self.cost,
            "exactness": self.exactness,
            "first_byte_ms": None if self.first_byte is None else round(self.first_byte * 1000),
            "total_ms": round(self.seconds * 1000),
            "client_gone": self.gone,
        }


def row(id_: str, entry: Mapping[str, Any], outcome: Outcome, charged: tuple[Line, ...]) -> dict[str, Any]:
    """A whole row."""
    return {"id": id_, **entry, **outcome.columns(), "charged": _encode(charged).decode()}


def _plain(code: str) -> str:
    return "".join(letter for letter in code[:MAX_CODE] if letter.isprintable())
