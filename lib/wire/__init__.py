"""The dialects as pure functions: no socket, no clock, no setting."""

from lib.wire.error_bodies import anthropic_error, anthropic_type, error_event, openai_error, openai_type
from lib.wire.paths import PATHS, Dialect, Path, Shape
from lib.wire.sse import DONE, PING, Event, complete, encode, events
from lib.wire.usage import Usage, anthropic_usage, find_usage, openai_usage, to_anthropic, to_openai
from lib.wire.usage_watch import UsageWatch

__all__ = [
    "DONE",
    "PATHS",
    "PING",
    "Dialect",
    "Event",
    "Path",
    "Shape",
    "Usage",
    "UsageWatch",
    "anthropic_error",
    "anthropic_type",
    "anthropic_usage",
    "complete",
    "encode",
    "error_event",
    "events",
    "find_usage",
    "openai_error",
    "openai_type",
    "openai_usage",
    "to_anthropic",
    "to_openai",
]
