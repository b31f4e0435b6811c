"""What the suite asks and what it is told, in no vendor's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tests.upstream import Recipe
from tests.upstream.openai_others import PIXEL

TEXT = Recipe().text  # the vendors' canned answer; asking with it makes the echo say the same
FRAGMENTS = Recipe().fragments

Stop = Literal["end", "limit", "tools"]


@dataclass(frozen=True)
class Tool:
    """A tool that is offered; `schema` is of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool that the model asked for."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What a tool returned."""

    id: str
    text: str


@dataclass(frozen=True)
class Asked:
    """One question. `choice`: `auto`, `none`, `required`, or a tool's name. `calls` and `results` are the turns of a
    conversation that follow the question. `image` is base64 of a PNG."""

    text: str = TEXT
    system: str = ""
    image: str = ""
    tools: tuple[Tool, ...] = ()
    choice: str = ""
    parallel: bool = True
    calls: tuple[ToolCall, ...] = ()
    results: tuple[Result, ...] = ()
    max_tokens: int = 64
    temperature: float | None = None
    top_p: float | None = None
    stops: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None
    user: str = ""
    stream: bool = False


@dataclass(frozen=True)
class Counted:
    """Tokens; the kinds of input exclude each other."""

    input: int
    output: int
    read: int = 0
    written: int = 0


@dataclass
class Said:
    """An answer. Whole ones have no `fragments`; `argument_fragments` counts those of each call."""

    text: str = ""
    fragments: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    argument_fragments: list[int] = field(default_factory=list)
    stop: Stop | None = None
    usage: Counted | None = None


@dataclass
class Failed:
    """A refusal or a breach: what came before it, and the SDK's exception in short."""

    error: Any
    status: int | None
    kind: str
    message: str
    param: str | None
    said: Said


def only(value: str) -> dict[str, Any]:
    """The schema of one string: even the echo has no choice."""
    return {"type": "string", "enum": [value]}


WEATHER = {"place": "Zürich", "unit": "celsius"}
TIDE = {"place": 'Lindau "Hafen" ⚓'}
TOOLS = tuple(
    Tool(
        name,
        f"Tells of {name[4:]}.",
        {"type": "object", "properties": {key: only(value) for key, value in given.items()}, "required": list(given)},
    )
    for name, given in (("get_weather", WEATHER), ("get_tide", TIDE))
)
IMAGE = PIXEL
SCHEMA = {
    "type": "object",
    "properties": {"harbour": only("Romanshorn"), "berths": {"type": "integer", "enum": [450]}},
    "required": ["harbour", "berths"],
    "additionalProperties": False,
}
