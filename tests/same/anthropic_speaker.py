"""Asks by Anthropic's own SDK, in messages."""

from __future__ import annotations

from typing import Any

import anthropic
import msgspec

from tests.same.asked import Asked, Counted, Failed, Said, Stop, ToolCall

STOPS: dict[str, Stop] = {"end_turn": "end", "max_tokens": "limit", "tool_use": "tools"}


class AnthropicSpeaker:
    """Asks through `client`, every time under the same `request_id`."""

    dialect = "anthropic"

    def __init__(self, client: anthropic.Anthropic, request_id: str) -> None:
        self._client = client
        self._headers = {"X-Request-ID": request_id}

    def ask(self, model: str, asked: Asked, **more: Any) -> Said:
        """The answer, put together when it was streamed."""
        if asked.stream:
            return self._collect(Said(), self.open(model, asked, **more))
        answer = self._client.messages.create(model=model, extra_headers=self._headers, **request(asked), **more)
        text = "".join(block.text for block in answer.content if block.type == "text")
        calls = [ToolCall(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"]
        return Said(text, [], calls, [], STOPS[str(answer.stop_reason)], counted(answer.usage))

    def fail(self, model: str, asked: Asked, **more: Any) -> Failed:
        """The failure that the question ends in. Raises AssertionError when there is none."""
        said = Said()
        try:
            if asked.stream:
                self._collect(said, self.open(model, asked, **more))
            else:
                self._client.messages.create(model=model, extra_headers=self._headers, **request(asked), **more)
        except anthropic.APIStatusError as error:
            status = error.status_code if error.status_code != 200 else None  # an event has no status of its own
            return Failed(error, status, str(error.type), str(error.api_message), None, said)
        raise AssertionError("it did not fail")

    def open(self, model: str, asked: Asked, **more: Any) -> Any:
        """A stream: an iterator of events with `close`."""
        return self._client.messages.create(
            model=model, stream=True, extra_headers=self._headers, **request(asked), **more
        )

    def _collect(self, said: Said, stream: Any) -> Said:
        """Also checks the grammar: one block at a time, numbered, opened and closed; begun and ended once."""
        opened: Any = None
        blocks: list[tuple[Any, list[str]]] = []
        usage: dict[str, Any] = {}
        kinds: list[str] = []
        for event in stream:
            kinds.append(event.type)
            if event.type == "message_start":
                usage = event.message.usage.model_dump()
            elif event.type == "content_block_start":
                assert (opened, event.index) == (None, len(blocks))
                opened = event.content_block
                blocks.append((opened, []))
            elif event.type == "content_block_delta":
                assert event.index == len(blocks) - 1
                assert opened is not None
                fragment = event.delta.text if event.delta.type == "text_delta" else event.delta.partial_json
                blocks[-1][1].append(fragment)
                if event.delta.type == "text_delta":
                    said.fragments.append(fragment)
            elif event.type == "content_block_stop":
                assert event.index == len(blocks) - 1
                opened = None
            elif event.type == "message_delta":
                assert opened is None
                usage |= {key: value for key, value in event.usage.model_dump().items() if value is not None}
                said.stop = STOPS[event.delta.stop_reason]
        assert (kinds[0], kinds[-2:], kinds.count("message_start")) == (
            "message_start",
            ["message_delta", "message_stop"],
            1,
        )
        said.text = "".join(said.fragments)
        tools = [(block, [part for part in parts if part]) for block, parts in blocks if block.type == "tool_use"]
        said.calls = [ToolCall(b.id, b.name, msgspec.json.decode("".join(parts) or "{}")) for b, parts in tools]
        said.argument_fragments = [len(parts) for _, parts in tools]
        said.usage = counted(anthropic.types.Usage.model_validate(usage))
        return said


def request(asked: Asked) -> dict[str, Any]:
    """The body, without the model."""
    body: dict[str, Any] = {"messages": _turns(asked), "max_tokens": asked.max_tokens}
    if asked.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.schema} for tool in asked.tools
        ]
    if asked.choice or not asked.parallel:
        kind = {"": "auto", "auto": "auto", "none": "none", "required": "any"}.get(asked.choice)
        choice: dict[str, Any] = {"type": kind} if kind else {"type": "tool", "name": asked.choice}
        body["tool_choice"] = choice | ({} if asked.parallel else {"disable_parallel_tool_use": True})
    if asked.schema:
        body["output_config"] = {"format": {"type": "json_schema", "schema": asked.schema}}
    extra = {"temperature": asked.temperature, "top_p": asked.top_p}  # which newer models' SDK has no arguments for
    given = {
        "system": asked.system,
        "stop_sequences": list(asked.stops),
        "metadata": {"user_id": asked.user} if asked.user else None,
        "extra_body": {key: value for key, value in extra.items() if value is not None},
    }
    return body | {key: value for key, value in given.items() if value}


def _turns(asked: Asked) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = [{"type": "text", "text": asked.text}]
    if asked.image:
        source = {"type": "base64", "media_type": "image/png", "data": asked.image}
        content.append({"type": "image", "source": source})
    turns: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if asked.calls:
        calls = [{"type": "tool_use", "id": c.id, "name": c.name, "input": c.arguments} for c in asked.calls]
        turns.append({"role": "assistant", "content": calls})
    if asked.results:
        results = [{"type": "tool_result", "tool_use_id": r.id, "content": r.text} for r in asked.results]
        turns.append({"role": "user", "content": results})
    return turns


def counted(usage: Any) -> Counted:
    """Anthropic's input excludes what was read from the cache and written to it."""
    return Counted(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens or 0,
        usage.cache_creation_input_tokens or 0,
    )
