"""What the upstream remembers of one call: the request as it came, the answer as it went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from tests.upstream.multipart import Part, parts_of

Kind = Literal["interim", "head", "body", "event", "raw"]


@dataclass(frozen=True, slots=True)
class Sent:
    """One write to the client: when (`time.monotonic`), how many bytes on the wire, and what it was."""

    at: float
    size: int
    kind: Kind


@dataclass(slots=True, eq=False)
class Call:
    """One request and what became of it. All times are `time.monotonic` seconds.

    `path` is the request target with its query; `headers` keep their order and
    case. `arrivals` pairs times with the body bytes that had arrived by then;
    `received_at` is set when the body is complete. `payload` is the answer's
    body as sent so far, before chunked framing. `ended_at` is the end of the
    answer, also when the server cut it on purpose; `left_at` is the moment
    at which the client hung up before that.
    """

    number: int
    connection: int
    method: str
    path: str
    headers: list[tuple[str, str]]
    at: float
    body: bytes = b""
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    received_at: float | None = None
    behaviour: str = ""
    sent: list[Sent] = field(default_factory=list)
    payload: bytearray = field(default_factory=bytearray)
    ended_at: float | None = None
    left_at: float | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is anything else."""
        try:
            value = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def parts(self) -> list[Part]:
        """The parts of a multipart form; empty for any other body."""
        return parts_of(self.header("content-type") or "", self.body)

    @property
    def file_size(self) -> int:
        """Bytes of all files in a multipart form."""
        return sum(len(part.data) for part in self.parts if part.filename is not None)

    @property
    def model(self) -> str:
        """The model that was asked for, in JSON or in a form; empty when none was."""
        if self.parts:
            return next((part.data.decode() for part in self.parts if part.name == "model"), "")
        model = self.json.get("model")
        return model if isinstance(model, str) else ""

    @property
    def stream(self) -> bool:
        """Whether a stream of events was asked for, in JSON or in a form."""
        if self.parts:
            return any(part.name == "stream" and part.data == b"true" for part in self.parts)
        return self.json.get("stream") is True

    @property
    def anthropic(self) -> bool:
        """Whether the call speaks Anthropic's dialect: by its path, or by Anthropic's version header."""
        return "/messages" in self.route or self.header("anthropic-version") is not None

    @property
    def events(self) -> list[float]:
        """When each event of a streamed answer was sent."""
        return [sent.at for sent in self.sent if sent.kind == "event"]

    @property
    def cancelled(self) -> bool:
        """Whether the client left before the answer ended."""
        return self.left_at is not None

    @property
    def live(self) -> bool:
        """Whether the call is still being received or answered."""
        return self.ended_at is None and self.left_at is None
