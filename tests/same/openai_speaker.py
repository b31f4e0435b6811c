"""Asks by OpenAI's own SDK, in chat completions."""

from __future__ import annotations

from typing import Any

import msgspec
import openai

from tests.same.asked import Asked, Counted, Failed, Said, Stop, ToolCall

STOPS: dict[str, Stop] = {"stop": "end", "length": "limit", "tool_calls": "tools"}


class OpenAISpeaker:
    """Asks through `client`, every time under the same `request_id`."""

    dialect = "openai"

    def __init__(self, client: openai.OpenAI, request_id: str) -> None:
        self._client = client
        self._headers = {"X-Request-ID": request_id}

    def ask(self, model: str, asked: Asked, **more: Any) -> Said:
        """The answer, put together when it was streamed."""
        if asked.stream:
            return self._collect(Said(), self.open(model, asked, **more))
        answer = self._client.chat.completions.create(
            model=model, extra_headers=self._headers, **request(asked), **more
        )
        choice = answer.choices[0]
        calls = [_call(call.id, call.function.name, call.function.arguments) for call in _functions(choice.message)]
        return Said(choice.message.content or "", [], calls, [], STOPS[choice.finish_reason], counted(answer.usage))

    def fail(self, model: str, asked: Asked, **more: Any) -> Failed:
        """The failure that the question ends in. Raises AssertionError when there is none."""
        said = Said()
        try:
            if asked.stream:
                self._collect(said, self.open(model, asked, **more))
            else:
                self._client.chat.completions.create(model=model, extra_headers=self._headers, **request(asked), **more)
        except openai.APIStatusError as error:
            return Failed(error, error.status_code, str(error.type), error.message, error.param, said)
        except openai.APIConnectionError:
            raise
        except openai.APIError as error:
            return Failed(error, None, str(error.type), error.message, error.param, said)
        raise AssertionError("it did not fail")

    def open(self, model: str, asked: Asked, **more: Any) -> Any:
        """A stream: an iterator of chunks with `close`."""
        body = request(asked) | {"stream": True, "stream_options": {"include_usage": True}}
        return self._client.chat.completions.create(model=model, extra_headers=self._headers, **body, **more)

    def _collect(self, said: Said, stream: Any) -> Said:
        heads: list[tuple[str, str]] = []
        arguments: list[list[str]] = []
        for chunk in stream:
            if chunk.usage:
                said.usage = counted(chunk.usage)
            if not chunk.choices:
                continue
            choice = chunk.choices[0]
            if choice.delta.content:
                said.fragments.append(choice.delta.content)
            for call in choice.delta.tool_calls or []:
                if call.id:
                    heads.append((call.id, call.function.name))
                    arguments.append([])
                if call.function.arguments:
                    arguments[call.index].append(call.function.arguments)
            if choice.finish_reason:
                said.stop = STOPS[choice.finish_reason]
        said.text = "".join(said.fragments)
        said.calls = [_call(*head, "".join(parts)) for head, parts in zip(heads, arguments, strict=True)]
        said.argument_fragments = [len(parts) for parts in arguments]
        return said


def request(asked: Asked) -> dict[str, Any]:
    """The body, without the model."""
    body: dict[str, Any] = {"messages": _messages(asked), "max_tokens": asked.max_tokens}
    if asked.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.schema}}
            for t in asked.tools
        ]
    if asked.choice:
        named = {"type": "function", "function": {"name": asked.choice}}
        body["tool_choice"] = asked.choice if asked.choice in ("auto", "none", "required") else named
    if not asked.parallel:
        body["parallel_tool_calls"] = False
    if asked.schema:
        wanted = {"name": "harbour", "schema": asked.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": wanted}
    given = {"temperature": asked.temperature, "top_p": asked.top_p, "stop": list(asked.stops), "user": asked.user}
    return body | {key: value for key, value in given.items() if value}


def _messages(asked: Asked) -> list[dict[str, Any]]:
    content: Any = asked.text
    if asked.image:
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{asked.image}"}}
        content = [{"type": "text", "text": asked.text}, picture]
    messages: list[dict[str, Any]] = [{"role": "system", "content": asked.system}] if asked.system else []
    messages.append({"role": "user", "content": content})
    if asked.calls:
        calls = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": _text(c.arguments)}}
            for c in asked.calls
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
    return messages + [{"role": "tool", "tool_call_id": r.id, "content": r.text} for r in asked.results]


def counted(usage: Any) -> Counted:
    """OpenAI's prompt includes what was read from the cache and written to it."""
    details = usage.prompt_tokens_details
    read = details.cached_tokens or 0 if details else 0
    written = getattr(details, "cache_write_tokens", None) or 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    return Counted(usage.prompt_tokens - read - written, usage.completion_tokens, read, written)


def _functions(message: Any) -> list[Any]:
    return [call for call in message.tool_calls or [] if call.type == "function"]


def _call(identifier: str, name: str, arguments: str) -> ToolCall:
    return ToolCall(identifier, name, msgspec.json.decode(arguments))


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
