"""The echo's knobs: what they are called, what they take, where they are read."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lib.providers.echo.errors import Refusal
from lib.wire import Usage

MAX_CHUNKS = 100_000
_Wait = Annotated[float, Meta(ge=0, le=600)]
_Gap = Annotated[float, Meta(ge=0, le=60)]
_Pause = Annotated[float, Meta(ge=0, le=86_400)]
_Chunks = Annotated[int, Meta(ge=1, le=MAX_CHUNKS)]
_After = Annotated[int, Meta(ge=0, le=MAX_CHUNKS)]
_Failure = Annotated[int, Meta(ge=400, le=599)]
_Tokens = Annotated[int, Meta(ge=0, le=1_000_000_000)]
_Word = Annotated[str, Meta(pattern="^[a-z_]{1,64}$")]

_PLACE = re.compile(r"^(.*?)(?: - at `\$\.(\w+)[^`]*`)?$", re.S)
_UNKNOWN = re.compile(r"unknown field `(.*)`", re.S)
_LONGEST_NAME = 64


class Knobs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller may set. Times are in seconds, counts of chunks mean chunks with content."""

    reply: str | None = None
    tool: str | None = None
    delay: _Wait = 0.0
    gap: _Gap = 0.0
    silence: _Wait = 0.0
    chunks: _Chunks | None = None
    error: _Failure | None = None
    retry_after: _Pause | None = None
    error_after: _After | None = None
    cut: _After | None = None
    usage: bool = True
    prompt_tokens: _Tokens | None = None
    completion_tokens: _Tokens | None = None
    cached_tokens: _Tokens = 0
    cache_write_tokens: _Tokens = 0
    reasoning_tokens: _Tokens = 0
    finish_reason: _Word | None = None

    @property
    def tools(self) -> list[str]:
        """The tools to call; `+` stands between several."""
        return self.tool.split("+") if self.tool else []

    def count(self, prompt_tokens: int, reply_tokens: int) -> Usage:
        """The call's usage: estimates, on top of the tokens the knobs add, unless a knob sets the whole count."""
        cached = self.cached_tokens + self.cache_write_tokens
        plain = prompt_tokens if self.prompt_tokens is None else self.prompt_tokens - cached
        output = reply_tokens + self.reasoning_tokens if self.completion_tokens is None else self.completion_tokens
        return Usage(
            input_tokens=plain,
            output_tokens=output,
            cache_read_tokens=self.cached_tokens,
            cache_write_tokens=self.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens,
        )


def read_knobs(model: str, body: Any = None, form: dict[str, str] | None = None) -> Knobs:
    """The knobs in a model's name (`echo/delay=0.5,chunks=20`), a body's `echo` object and a form's `echo[...]` fields.

    The body and the form win over the name. Raises `Refusal` naming the knob at fault.
    """
    knobs = _over(Knobs(), _in_name(model), strict=False)
    knobs = _over(knobs, form or {}, strict=False)
    if body is not None:
        if not isinstance(body, dict):
            raise Refusal("`echo` must be an object.", "echo")
        knobs = _over(knobs, body, strict=True)
    _agree(knobs)
    return knobs


def _in_name(model: str) -> dict[str, str]:
    """The knobs in a model's name, as strings."""
    head, _, rest = model.partition("/")
    given: dict[str, str] = {}
    for item in rest.split(",") if head == "echo" and rest else ():
        name, equals, value = item.partition("=")
        name = name[:_LONGEST_NAME]
        if not equals or name in given:
            raise Refusal(f"`{name}` must be set once, as {name}=value.", f"echo.{name}")
        given[name] = value
    if "reply" in given:
        raise Refusal("`reply` is read from the body's `echo` object only.", "echo.reply")
    return given


def _over(knobs: Knobs, given: dict[str, Any], *, strict: bool) -> Knobs:
    """`knobs` with those that were given in their place."""
    if not given:
        return knobs
    try:
        read = msgspec.convert(given, Knobs, strict=strict)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None
    return msgspec.structs.replace(knobs, **{name: getattr(read, name) for name in given})


def _refusal(message: str) -> Refusal:
    unknown = _UNKNOWN.search(message)
    if unknown:
        name = unknown[1][:_LONGEST_NAME]
        return Refusal(f"The echo has no knob `{name}`.", f"echo.{name}")
    place = _PLACE.match(message)
    assert place is not None  # both groups may be empty
    return Refusal(f"`echo.{place[2]}`: {place[1]}.", f"echo.{place[2]}")


def _agree(knobs: Knobs) -> None:
    """Refuse knobs that contradict each other."""
    if knobs.retry_after is not None and (knobs.error is None or knobs.error_after is not None):
        raise Refusal("`retry_after` goes with `error`, without `error_after`.", "echo.retry_after")
    if knobs.prompt_tokens is not None and knobs.prompt_tokens < knobs.cached_tokens + knobs.cache_write_tokens:
        raise Refusal("`prompt_tokens` counts cached tokens too and cannot be fewer.", "echo.prompt_tokens")
    if knobs.completion_tokens is not None and knobs.completion_tokens < knobs.reasoning_tokens:
        raise Refusal("`completion_tokens` counts reasoning too and cannot be fewer.", "echo.completion_tokens")
