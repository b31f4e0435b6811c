"""Requests to Bedrock and readers of its answers, for tests."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.providers.base import Outgoing
from lib.providers.bedrock_answer import BedrockAnswer
from lib.wire import PATHS, Shape, events

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PATIENCE = 30.0  # seconds


def outgoing(shape: Shape = Shape.MESSAGE, *, model: str = MODEL, stream: bool = False, **fields: Any) -> Outgoing:
    """An Anthropic request for `model`, as the gateway hands it to the provider."""
    body = {"model": model, "messages": [{"role": "user", "content": "How many gulls?"}], **fields}
    if shape is not Shape.TOKEN_COUNT:
        body |= {"max_tokens": 99, "stream": stream}
    path = next(path for path in PATHS if path.shape is shape)
    return Outgoing(path, model, msgspec.json.encode(body), stream=stream)


def rest_of(answer: BedrockAnswer) -> bytes:
    """Everything up to the end of a started answer."""
    blocks = []
    while block := answer.read(PATIENCE):
        blocks.append(block)
    assert block == b"", "silent for too long"
    return b"".join(blocks)


def events_of(data: bytes) -> list[dict[str, Any]]:
    """The events of an Anthropic stream, decoded."""
    return [msgspec.json.decode(event.data) for event in events(data)]


def text_of(events: list[dict[str, Any]]) -> str:
    """The text of those events."""
    return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
