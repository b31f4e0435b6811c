"""One call on its way through the gateway: what came in, what is known of it, what goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple, Protocol

from lib.access import Caller
from lib.base.errors import AIProxyError, ClientGone, Draining
from lib.wire import Form, JsonBody, Path, Usage


class Client(Protocol):
    """The connection of whoever called."""

    @property
    def gone(self) -> bool:
        """Whether the client closed it."""

    @property
    def ended(self) -> bool:
        """Whether the server can wait no longer."""

    def on_leave(self, act: Callable[[], None]) -> None:
        """Run `act` when the client closes the connection, or the server can wait no longer; the latest one counts."""

    def pause(self, seconds: float) -> None:
        """Sleep, but wake when either happens."""


class Produced(NamedTuple):
    """What an answer brought: pieces of content, and its bytes."""

    pieces: int = 0
    content: int = 0


NOTHING_PRODUCED = Produced()


class Admitted(Protocol):
    """What was taken for a call before it was sent."""

    def headers(self) -> list[tuple[str, str]]:
        """What the caller is told of its rates, as headers."""

    def settle(self, record: Record) -> None:
        """Give back what is left of it, and write down what the call cost. Never raises."""


@dataclass(slots=True)
class Record:
    """What is known of a call once it is over: the access line, the metrics, later the ledger.

    Times are in seconds; `first_byte` counts from the start to the first content. `usage_is_final`: it is the
    vendor's closing count. `produced` is what a stream brought, for want of that. `cost` is in nano-USD, None
    when the model has no price. `admission` settles it.
    """

    started: float = field(default_factory=monotonic)
    request_id: str | None = None
    caller: str | None = None
    run: str | None = None
    route: str = ""
    family: str = ""
    model_asked: str | None = None
    model_served: str | None = None
    provider: str | None = None
    attempts: int = 0
    stream: bool = False
    status: int = 0
    error: str | None = None
    usage: Usage | None = None
    usage_is_final: bool = True
    produced: Produced = NOTHING_PRODUCED
    cost: int | None = None
    exactness: str = ""
    admission: Admitted | None = None
    first_byte: float | None = None
    gone: bool = False
    settled: bool = False

    def failed(self, error: AIProxyError) -> None:
        """Note how the call failed."""
        self.status = error.status
        self.error = error.code
        self.provider = error.provider or self.provider


@dataclass(slots=True)
class Call:
    """A request that passed its guard. `headers` are those that may travel on; they hold no credential.

    `run` is the agent's run that it belongs to, with a cost cap of its own. `model` is asked for where the body
    names none. `deadline` is on the monotonic clock; it comes no later than the gateway's own. `credential` is a key
    of the caller's with the vendor, for this call alone: it goes to providers that take such keys, and nowhere else.
    """

    path: Path
    caller: Caller
    body: JsonBody | Form
    headers: Sequence[tuple[str, str]]
    client: Client
    record: Record
    run: str | None = None
    model: str | None = None
    deadline: float = float("inf")
    credential: str | None = field(default=None, repr=False)

    def aborted(self) -> AIProxyError:
        """Why an answer was aborted: the client left, or the server can wait no longer."""
        return Draining() if self.client.ended and not self.client.gone else ClientGone()


class Blocks(Protocol):
    """A body that is written while it is read."""

    def __iter__(self) -> Iterator[bytes]:
        """The blocks, in their order."""

    def close(self) -> None:
        """Let go of whatever they come from."""


@dataclass(slots=True)
class Reply:
    """What goes back. Whoever takes a reply with an iterable body must close it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Blocks
