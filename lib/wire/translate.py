"""Translation between the two client dialects: which one leads from a client to a vendor.

The dialects are OpenAI's chat completions and Anthropic's Messages. Bedrock's
Converse is reached from the Messages form (`lib.wire.bedrock`), so an OpenAI
client reaches Bedrock through both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lib.wire.anthropic_from_openai import to_message
from lib.wire.anthropic_from_openai_stream import MessageStream
from lib.wire.anthropic_to_openai import to_openai_request
from lib.wire.openai_from_anthropic import to_completion
from lib.wire.openai_from_anthropic_stream import CompletionStream
from lib.wire.openai_to_anthropic import to_anthropic_request
from lib.wire.paths import Dialect
from lib.wire.reader import Json
from lib.wire.sse import Event


class StreamTranslator(Protocol):
    """Turns a vendor's stream into the client's dialect, event by event."""

    @property
    def started(self) -> bool:
        """Something with content went out."""

    @property
    def complete(self) -> bool:
        """The vendor's own terminal event was seen."""

    def feed(self, event: Event) -> bytes:
        """The encoded events that follow from one of the vendor's; often `b""`.

        Raises what an error event stands for (see `stream_error`), and
        `VendorProtocolError` for an event that is not of the dialect.
        """

    def finish(self) -> bytes:
        """Close what is open, once the vendor ended properly. `b""` when nothing is, and the second time."""


class Translation(Protocol):
    """One direction: a client's dialect on a vendor's. Pure functions of their arguments."""

    def request(self, body: Json, model: str) -> Json:
        """The client's request in the vendor's dialect, for the vendor's model of that name.

        Raises `Untranslatable` for what has no equivalent and `BadRequest` for
        what is malformed; `param` names the field.
        """

    def response(self, body: Json, created: int = 0) -> Json:
        """The vendor's whole answer in the client's dialect. `created` is in seconds since 1970.

        Raises what it stands for when the answer is an error (see `stream_error`),
        and `VendorProtocolError` when it is not of the dialect.
        """

    def stream(self, *, include_usage: bool, created: int, model: str) -> StreamTranslator:
        """A translator for one stream.

        `include_usage`: the client wants OpenAI's usage chunk (ignored towards
        Anthropic, whose streams always count). `model` is the name to show
        when the vendor gives none.
        """


class OpenAIOnAnthropic:
    """An OpenAI client on an Anthropic vendor."""

    def request(self, body: Json, model: str) -> Json:
        """See `Translation`."""
        return to_anthropic_request(body, model)

    def response(self, body: Json, created: int = 0) -> Json:
        """See `Translation`."""
        return to_completion(body, created)

    def stream(self, *, include_usage: bool, created: int, model: str) -> StreamTranslator:
        """See `Translation`."""
        return CompletionStream(include_usage=include_usage, created=created, model=model)


class AnthropicOnOpenAI:
    """An Anthropic client on an OpenAI vendor."""

    def request(self, body: Json, model: str) -> Json:
        """See `Translation`."""
        return to_openai_request(body, model)

    def response(self, body: Json, created: int = 0) -> Json:
        """See `Translation`."""
        return to_message(body)

    def stream(self, *, include_usage: bool, created: int, model: str) -> StreamTranslator:
        """See `Translation`."""
        return MessageStream(model=model)


_TRANSLATIONS: Mapping[tuple[Dialect, Dialect], Translation] = {
    (Dialect.OPENAI, Dialect.ANTHROPIC): OpenAIOnAnthropic(),
    (Dialect.ANTHROPIC, Dialect.OPENAI): AnthropicOnOpenAI(),
}


def translation(client: Dialect, vendor: Dialect) -> Translation | None:
    """The translation for a client's dialect on a vendor's; None when they are the same."""
    return _TRANSLATIONS.get((client, vendor))
