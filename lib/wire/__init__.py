"""The dialects as pure functions: no socket, no clock, no setting."""

from lib.wire.bedrock import to_converse
from lib.wire.bedrock_answer import from_converse
from lib.wire.bedrock_stream import ConverseStream
from lib.wire.error_bodies import anthropic_error, anthropic_type, error_event, openai_error, openai_type
from lib.wire.paths import PATHS, Dialect, Path, Shape
from lib.wire.sse import DONE, PING, Event, complete, encode, events
from lib.wire.translate import StreamTranslator, Translation, translation
from lib.wire.usage import Usage, anthropic_usage, find_usage, openai_usage, to_anthropic, to_openai
from lib.wire.usage_watch import UsageWatch
from lib.wire.vendor_errors import VendorMessage, read_error, stream_error

__all__ = [
    "DONE",
    "PATHS",
    "PING",
    "ConverseStream",
    "Dialect",
    "Event",
    "Path",
    "Shape",
    "StreamTranslator",
    "Translation",
    "Usage",
    "UsageWatch",
    "VendorMessage",
    "anthropic_error",
    "anthropic_type",
    "anthropic_usage",
    "complete",
    "encode",
    "error_event",
    "events",
    "find_usage",
    "from_converse",
    "openai_error",
    "openai_type",
    "openai_usage",
    "read_error",
    "stream_error",
    "to_anthropic",
    "to_converse",
    "to_openai",
    "translation",
]
