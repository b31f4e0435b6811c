"""Streams byte by byte: framing, names of events, their ends, usage only where it was asked for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.same.asked import TOOLS, Asked
from tests.same.places import Place
from tests.same.plain import Plain, body_of, post
from tests.upstream import Gateway

QUESTIONS = {"ok": Asked(), "tools": Asked(tools=TOOLS)}


def events_of(answer: Plain) -> list[tuple[str, str]]:
    """(name, data) of each event. Fails for anything but whole events of one data line."""
    assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    text = answer.body.decode()
    assert text.endswith("\n\n")
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        assert list(lines) in (["data"], ["event", "data"])
        found.append((lines.get("event", ""), lines["data"]))
    return found


@pytest.mark.parametrize("behaviour", QUESTIONS)
def test_a_stream_of_chat_completion_chunks(server: Gateway, place: Place, behaviour: str) -> None:
    body = body_of("openai", place.model(behaviour, "openai"), QUESTIONS[behaviour]) | {"stream": True}
    *events, last = events_of(post(server, "openai", body))
    assert last == ("", "[DONE]")
    chunks: list[dict[str, Any]] = [msgspec.json.decode(data) for _, data in events]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["model"], chunk["created"]) for chunk in chunks}) == 1
    assert all(chunk["id"] and chunk["model"] for chunk in chunks)
    assert [len(chunk["choices"]) for chunk in chunks] == [1] * len(chunks)
    assert [chunk["choices"][0]["delta"].get("role") for chunk in chunks] == ["assistant"] + [None] * (len(chunks) - 1)
    finishes = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert finishes[:-1] == [None] * (len(chunks) - 1)
    assert finishes[-1] == ("tool_calls" if behaviour == "tools" else "stop")
    assert not any(chunk.get("usage") for chunk in chunks)


def test_the_usage_chunk_comes_last_when_it_is_asked_for(server: Gateway, place: Place) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    answer = post(server, "openai", body_of("openai", place.model("ok", "openai")) | options)
    *chunks, last = [msgspec.json.decode(data) for _, data in events_of(answer)[:-1]]
    assert (last["choices"], last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == ([], 21, 5)
    assert all(chunk["usage"] is None for chunk in chunks)


@pytest.mark.parametrize("behaviour", QUESTIONS)
def test_a_stream_of_a_message(server: Gateway, place: Place, behaviour: str) -> None:
    body = body_of("anthropic", place.model(behaviour, "anthropic"), QUESTIONS[behaviour]) | {"stream": True}
    events = [(name, msgspec.json.decode(data)) for name, data in events_of(post(server, "anthropic", body))]
    assert [name for name, _ in events] == [data["type"] for _, data in events]
    (start,) = [data["message"] for name, data in events if name == "message_start"]
    assert (start["role"], start["content"], start["stop_reason"]) == ("assistant", [], None)
    assert start["id"]
    assert start["model"]
    indices = [data["index"] for name, data in events if name == "content_block_start"]
    assert indices == list(range(2 if behaviour == "tools" else 1))
    assert events[-1][0] == "message_stop"


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_nothing_follows_an_error_event(server: Gateway, place: Place, dialect: str) -> None:
    body = body_of(dialect, place.model("error-after-2", dialect)) | {"stream": True}
    name, data = events_of(post(server, dialect, body))[-1]
    error = msgspec.json.decode(data)
    assert name == ("error" if dialect == "anthropic" else "")
    assert error["error"]["message"].startswith("The model provider")
