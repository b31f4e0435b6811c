"""A gateway in this process, without a web server: what a test asks of it, and what it counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as FilePath
from time import monotonic
from typing import Any

import gevent
import msgspec
from gevent.event import Event

from lib.access import ANONYMOUS
from lib.base import load, load_models
from lib.base.errors import AIProxyError
from lib.gateway import (
    Behaviour,
    Call,
    Chooser,
    Circuit,
    Gateway,
    Limits,
    Meter,
    Persistence,
    Record,
    Reply,
    Settler,
    Terms,
)
from lib.ledger import Books
from lib.limits import Prices, Rates
from lib.net import HttpClient
from lib.providers import build_catalog
from lib.stores import Accounts, Sql, open_counters, open_database
from lib.telemetry import NoMetrics
from lib.wire import JsonBody, Path, Shape, path_of
from tests.databases import new_sqlite
from tests.upstream import Upstream
from tests.upstream.gateway import vendors

CHAT = path_of(Shape.CHAT)
HELLO = [{"role": "user", "content": "Grüezi"}]
USUAL: dict[Shape, dict[str, Any]] = {
    Shape.MESSAGE: {"messages": HELLO, "max_tokens": 9},
    Shape.COMPLETION: {"prompt": "Grüezi"},
    Shape.RESPONSE: {"input": "Grüezi"},
    Shape.SPEECH: {"input": "Grüezi", "voice": "alloy"},
}
ROWS = """
[providers.openai]
shapes = ["*"]
[providers.anthropic]
kind = "anthropic"
[providers.dead]
key = ""
[providers.lost]
key = ""
timeouts = { connect = 0.05 }
"""


TERMS = Terms(
    run_cap=2_000_000_000,
    run_ttl=86_400_000,
    reserve_output=1000,
    reserve_input=50_000,
    budgets_when_down="refuse",
    ledger_when_down="allow",
)


class Visitor:
    """The connection of a caller who stays until `leave`, or as long as a server that goes on until `end`."""

    def __init__(self) -> None:
        self.gone = self.ended = False
        self._left = Event()
        self._act: Callable[[], None] | None = None

    def on_leave(self, act: Callable[[], None]) -> None:
        self._act = act
        if self.gone or self.ended:
            act()

    def pause(self, seconds: float) -> None:
        self._left.wait(seconds)

    def leave(self) -> None:
        self.gone = True
        self._wake()

    def end(self) -> None:
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        self._left.set()
        if self._act is not None:
            self._act()


class Tally(NoMetrics):
    """Remembers what it was told to count."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []
        self.used: dict[str, int] = {}
        self.spent: dict[str, float] = {}
        self.refusals: list[str] = []
        self.open_streams = 0

    def attempt_failed(self, provider: str, code: str) -> None:
        self.failures.append((provider, code))

    def tokens(self, provider: str, model: str | None, kind: str, count: int) -> None:
        self.used[kind] = self.used.get(kind, 0) + count

    def cost(self, provider: str, model: str | None, exactness: str, usd: float) -> None:
        self.spent[exactness] = self.spent.get(exactness, 0.0) + usd

    def refused(self, code: str) -> None:
        self.refusals.append(code)

    def stream_opened(self) -> None:
        self.open_streams += 1

    def stream_closed(self) -> None:
        self.open_streams -= 1


class Door:
    """A gateway whose vendors `openai` and `anthropic` are the upstream; `dead` refuses, `lost` is a black hole.

    `clock` is the circuit's, `pick` draws among weights, `total` and `ping` are in seconds.
    """

    def __init__(self, upstream: Upstream, directory: FilePath) -> None:
        self.http = HttpClient()
        self.tally = Tally()
        self._upstream = upstream
        self._file = directory / "models.toml"
        self.open()

    def open(
        self,
        rows: str = "",
        *,
        clock: Callable[[], float] = monotonic,
        pick: Callable[[], float] = lambda: 0.0,
        total: float = 30.0,
        ping: float = 15.0,
    ) -> None:
        """Begin anew, with more rows and other limits."""
        self._file.write_text(rows + ROWS)
        models = load_models(self._file)
        urls = {"DEAD_BASE_URL": self._upstream.refuse, "LOST_BASE_URL": self._upstream.blackhole}
        settings = load({**vendors(self._upstream), **urls}, self._file.with_name("absent.txt"))
        self.circuit = Circuit(models.rest, clock)
        self.database = open_database(new_sqlite(), 2.0)
        self.books = Books(Accounts(self.database))
        self.rates = Rates(open_counters(None, self._file.with_name("rates.db"), 2.0))
        self.books.keep()  # connected: the first call is as quick as the others
        self.gateway = Gateway(
            Chooser(models, build_catalog(models, settings, self.http), pick),
            self.circuit,
            Meter(self.books, Prices(models), self.rates, TERMS),
            Settler(self.tally, set()),
            Behaviour(Persistence(models.defaults.attempts, models.defaults.longest_wait), Limits(total, ping)),
        )

    def lose_books(self) -> Callable[[], None]:
        """Take the tables away; call what this returns to bring them back."""
        self.database.run(lambda session: session.change(Sql("ALTER TABLE reservations RENAME TO elsewhere")))
        self.database.run(lambda session: session.change(Sql("ALTER TABLE calls RENAME TO nowhere")))

        def found() -> None:
            self.database.run(lambda session: session.change(Sql("ALTER TABLE elsewhere RENAME TO reservations")))
            self.database.run(lambda session: session.change(Sql("ALTER TABLE nowhere RENAME TO calls")))

        return found

    def call(self, model: str = "openai/ok", path: Path = CHAT, *, raw: bytes | None = None, **fields: Any) -> Call:
        """A call that passed its guard."""
        if raw is None:
            raw = msgspec.json.encode({"model": model, **USUAL.get(path.shape, {"messages": HELLO}), **fields})
        return Call(path, ANONYMOUS, JsonBody(raw), [("user-agent", "tests")], Visitor(), Record(request_id="the-id"))

    def ask(self, call: Call) -> Reply:
        """The reply to a call."""
        return self.gateway.call(call)

    def whole(self, model: str, path: Path = CHAT, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Status and decoded body of a call that is not streamed."""
        reply = self.ask(self.call(model, path, **fields))
        assert isinstance(reply.body, bytes)
        return reply.status, msgspec.json.decode(reply.body)

    def failure(self, call: Call) -> AIProxyError:
        """The error that a call ends in before anything was answered."""
        try:
            self.ask(call)
        except AIProxyError as error:
            return error
        raise AssertionError("it did not fail")

    def blocks(self, call: Call) -> list[bytes]:
        """What a server would write of a streamed answer, block by block, to its end."""
        reply = self.ask(call)
        assert not isinstance(reply.body, bytes)
        try:
            return list(reply.body)
        finally:
            reply.body.close()  # type: ignore[attr-defined]

    def stream(self, model: str = "openai/ok", path: Path = CHAT, **fields: Any) -> bytes:
        """All of a streamed answer."""
        return b"".join(self.blocks(self.call(model, path, stream=True, **fields)))


def leave_soon(call: Call, seconds: float = 0.05, *, content: bool = False) -> None:
    """The caller leaves while others work: see `_later`."""
    assert isinstance(call.client, Visitor)
    gevent.spawn(_later, call, seconds, call.client.leave, content)


def end_soon(call: Call, seconds: float = 0.05, *, content: bool = False) -> None:
    """The server can wait no longer: see `_later`."""
    assert isinstance(call.client, Visitor)
    gevent.spawn(_later, call, seconds, call.client.end, content)


def _later(call: Call, seconds: float, act: Callable[[], None], content: bool) -> None:
    """Act a moment after the first attempt, or the first content, if there is one within a second or ten."""
    end = monotonic() + (10.0 if content else 1.0)
    while (call.record.first_byte is None if content else not call.record.attempts) and monotonic() < end:
        gevent.sleep(0.005)
    gevent.sleep(seconds)
    act()
