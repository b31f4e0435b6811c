"""The dialects as pure functions: no socket, no clock, no setting."""

from lib.wire.bedrock import to_converse
from lib.wire.bedrock_answer import from_converse
from lib.wire.bedrock_stream import ConverseStream
from lib.wire.body import JsonBody
from lib.wire.error_bodies import anthropic_error, anthropic_type, error_event, openai_error, openai_type
from lib.wire.form import Form
from lib.wire.paths import EMBED, PATHS, Dialect, Path, Shape, counterpart, path_of
from lib.wire.signs import (
    bears_content,
    ends,
    error_in_body,
    has_usage,
    is_sound,
    nearly_ends,
    until_error,
    without_usage,
)
from lib.wire.sse import DONE, PING, Event, complete, encode, events
from lib.wire.translate import StreamTranslator, Translation, translation
from lib.wire.usage import Usage, anthropic_usage, find_usage, openai_usage, to_anthropic, to_openai
from lib.wire.usage_details import COUNTS, audio_seconds, searches, side
from lib.wire.usage_watch import UsageWatch
from lib.wire.vendor_errors import TOO_LONG, VendorMessage, is_too_long, read_error

__all__ = [
    "COUNTS",
    "DONE",
    "EMBED",
    "PATHS",
    "PING",
    "TOO_LONG",
    "ConverseStream",
    "Dialect",
    "Event",
    "Form",
    "JsonBody",
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
    "audio_seconds",
    "bears_content",
    "complete",
    "counterpart",
    "encode",
    "ends",
    "error_event",
    "error_in_body",
    "events",
    "find_usage",
    "from_converse",
    "has_usage",
    "is_sound",
    "is_too_long",
    "nearly_ends",
    "openai_error",
    "openai_type",
    "openai_usage",
    "path_of",
    "read_error",
    "searches",
    "side",
    "to_anthropic",
    "to_converse",
    "to_openai",
    "translation",
    "until_error",
    "without_usage",
]
