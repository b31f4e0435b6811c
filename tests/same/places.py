"""The providers of the suite: how each is asked to behave, and what it then says of its tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.same.asked import Counted
from tests.upstream import Upstream

MODELS = """
[defaults]
attempts = 1
longest_wait = 0.0

[rest]
failures = 1000

[providers.local]
key = ""

[providers.anthropic]
kind = "anthropic"

[providers.bedrock]
kind = "bedrock"
"""

# The vendors' behaviours in the echo's words.
KNOBS = {
    "ok": "prompt_tokens=21,completion_tokens=5",
    "bytewise": "chunks=5",
    "tools": "tool=get_weather+get_tide,chunks=3",
    "cached": "prompt_tokens=1109,cached_tokens=1024,cache_write_tokens=64,completion_tokens=37",
    "silent": "delay=60",
    "silent-stream": "silence=60",
    "error-after-2": "error_after=2,error=503",
    "cut-body-2": "cut=2",
    "retry-after-7": "error=429,retry_after=7",
    "retry-after-8": "error=429,retry_after=8",
}
LIMITED = {"openai": "length", "anthropic": "max_tokens"}  # the only knob in the dialect's own words


@dataclass(frozen=True)
class Place:
    """One provider. `dialect` is None for the echo, which speaks everybody's.

    `model(behaviour, dialect)` is the name of a model that behaves so.
    """

    name: str
    dialect: str | None
    model: Callable[[str, str], str]
    cached: Counted
    vendor: Upstream | None = None

    def translates(self, dialect: str) -> bool:
        """Whether somebody of that dialect is answered in translation."""
        return self.dialect is not None and self.dialect != dialect


def of_vendor(name: str) -> Callable[[str, str], str]:
    """Models that are called after their behaviour."""
    return lambda behaviour, _: f"{name}/{behaviour}"


def of_echo(behaviour: str, dialect: str) -> str:
    """The echo with knobs."""
    if behaviour == "length":
        return f"echo/finish_reason={LIMITED[dialect]}"
    name, _, number = behaviour.partition("-")
    return f"echo/error={number}" if name == "error" and number.isdigit() else f"echo/{KNOBS[behaviour]}"


def all_places(vendor: Upstream, bedrock: Upstream) -> dict[str, Place]:
    """Every provider by name. OpenAI's usage does not tell what was written to the cache: it counts as input."""
    told, untold = Counted(21, 37, 1024, 64), Counted(85, 37, 1024, 0)
    return {
        "compatible": Place("compatible", "openai", of_vendor("local"), untold, vendor),
        "anthropic": Place("anthropic", "anthropic", of_vendor("anthropic"), told, vendor),
        "bedrock": Place("bedrock", "bedrock", of_vendor("bedrock"), told, bedrock),
        "echo": Place("echo", None, of_echo, told),
    }
