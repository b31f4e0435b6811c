"""Junk in the middle of a stream, and ids on answers that no vendor gave, as the SDKs see them."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

HELLO: Any = [{"role": "user", "content": "Grüezi"}]


def test_junk_in_a_stream_is_an_error_that_the_sdk_knows(oai: openai.OpenAI, seen: Any) -> None:
    del seen
    with pytest.raises(openai.APIError, match="invalid answer"):
        list(oai.chat.completions.create(model="openai/junk-event", messages=HELLO, stream=True))


def test_junk_in_a_message_is_an_error_that_the_sdk_knows(ant: anthropic.Anthropic, seen: Any) -> None:
    del seen
    with pytest.raises(anthropic.APIError, match="invalid answer"):
        list(ant.messages.create(model="anthropic/junk-event", messages=HELLO, max_tokens=9, stream=True))


def test_anthropics_sdk_finds_an_id(ant: anthropic.Anthropic, seen: Any) -> None:
    """It reads `request-id`, which only a vendor of its own dialect sends: ours stands in where there is none."""
    del seen
    with pytest.raises(anthropic.NotFoundError) as caught:
        ant.messages.create(model="nobodys", messages=HELLO, max_tokens=9)
    assert caught.value.request_id
    assert ant.messages.create(model="openai/gpt-4o", messages=HELLO, max_tokens=9)._request_id
