"""The API families that `bin/live-client` speaks: what is sent for a turn, and how the answer is read as it comes.

Sources: OpenAI's chat completions, Anthropic's messages, and API.md for agents and assessment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import requests

from lib.wire import complete, events

MOST = 4096  # tokens of an answer where the dialect asks for a limit
LESSON = Path(__file__).resolve().parents[2] / "examples/experiments/baseline/csd3-2023-L11"
PROMPT = "Grade the program against the rubric."


class Fault(Exception):
    """The answer is an error, or ended in one. One line, for whoever sits at the keyboard."""


@dataclass
class Talk:
    """A conversation: which model, what it is told first, who said what; for agents the run, for grading the rubric."""

    model: str
    run: str
    system: str = ""
    rubric: Path = LESSON / "standard_rubric.csv"
    turns: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Count:
    """Tokens, as the answer itself tells them; None where it does not."""

    input: int | None = None
    output: int | None = None


class Family(Protocol):
    """One family: where a turn is sent, as what, and how its answer is read."""

    path: str

    def request(self, talk: Talk) -> dict[str, Any]:
        """The options of `requests.post` for the last turn. Raises `Fault`."""

    def pieces(self, answer: requests.Response, count: Count) -> Iterator[str]:
        """The answer's text, as it comes; `count` is filled in. Raises `Fault`."""


class Chat:
    """OpenAI's chat completions, streamed."""

    path = "/v1/chat/completions"

    def request(self, talk: Talk) -> dict[str, Any]:
        """The whole conversation."""
        first = [{"role": "system", "content": talk.system}] if talk.system else []
        body = {"model": talk.model, "messages": first + talk.turns, "stream": True}
        return {"json": {**body, "stream_options": {"include_usage": True}}}

    def pieces(self, answer: requests.Response, count: Count) -> Iterator[str]:
        """The deltas of the first choice; the last event has the usage."""
        for event in _events(answer):
            if usage := event.get("usage"):
                count.input, count.output = usage.get("prompt_tokens"), usage.get("completion_tokens")
            for choice in event.get("choices", [])[:1]:
                yield choice["delta"].get("content") or ""


class Messages:
    """Anthropic's messages, streamed."""

    path = "/v1/messages"

    def request(self, talk: Talk) -> dict[str, Any]:
        """The whole conversation; the system text stands beside it."""
        body = {"model": talk.model, "messages": talk.turns, "stream": True, "max_tokens": MOST}
        system = {"system": talk.system} if talk.system else {}
        return {"json": {**body, **system}, "headers": {"anthropic-version": "2023-06-01"}}

    def pieces(self, answer: requests.Response, count: Count) -> Iterator[str]:
        """The text deltas; the first and the last events have the usage."""
        for event in _events(answer):
            usage = event.get("usage") or event.get("message", {}).get("usage") or {}
            if event["type"] == "message_start":
                parts = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
                count.input = sum(usage.get(part) or 0 for part in parts)
            count.output = usage.get("output_tokens", count.output)
            yield event.get("delta", {}).get("text") or ""


class Agents:
    """The agents' inference: one run for the whole conversation, answers in one piece."""

    path = "/agents/inference"

    def request(self, talk: Talk) -> dict[str, Any]:
        """The whole conversation."""
        first = [{"role": "system", "content": talk.system}] if talk.system else []
        return {"json": {"run_id": talk.run, "model": talk.model, "messages": first + talk.turns}}

    def pieces(self, answer: requests.Response, count: Count) -> Iterator[str]:
        """A JSON string, or an object that says what is wrong."""
        value = _json(answer)
        if not isinstance(value, str):
            raise Fault(str(value.get("error", value)) if isinstance(value, dict) else str(value))
        yield value


class Assessment:
    """The grading of a program: a turn is the path of its file."""

    path = "/assessment"

    def request(self, talk: Talk) -> dict[str, Any]:
        """The file, the rubric's file, and as prompt the system text."""
        fields = {"code": _text(Path(talk.turns[-1]["content"]).expanduser()), "rubric": _text(talk.rubric)}
        return {"data": {**fields, "prompt": talk.system or PROMPT, "model": talk.model}}

    def pieces(self, answer: requests.Response, count: Count) -> Iterator[str]:
        """A line for each key concept, with its reason below."""
        value = _json(answer)
        usage = value["metadata"].get("usage") or {}
        count.input, count.output = usage.get("prompt_tokens"), usage.get("completion_tokens")
        for row in value["data"]:
            yield f"{row['Key Concept']}: {row['Label']}\n"
            if row.get("Reason"):
                yield f"  {row['Reason']}\n"


FAMILIES: dict[str, Family] = {
    "chat": Chat(),
    "messages": Messages(),
    "agents": Agents(),
    "assessment": Assessment(),
}


def refusal(answer: requests.Response) -> str:
    """What an answer with an error's status says, in one line."""
    try:
        text = _message(answer.json())
    except ValueError:
        text = answer.text
    return f"{answer.status_code}: {one_line(text)[:300] or answer.reason}"


def one_line(text: str) -> str:
    """A text without line breaks and whatever else is not to be seen."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _message(value: Any) -> str:
    """The message in an error's body, in the shape of any family."""
    if not isinstance(value, dict):
        return str(value)
    told = value.get("error") or value.get("detail") or value.get("message") or value
    return str(told.get("message", told)) if isinstance(told, dict) else str(told)


def _events(answer: requests.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream, decoded. Raises `Fault` for an error event and a stream that is cut."""
    buffer = bytearray()
    ended = False
    for block in answer.iter_content(None):
        buffer += block
        if not (at := complete(buffer)):
            continue
        for event in events(bytes(buffer[:at])):
            if event.data == b"[DONE]":
                ended = True
                continue
            value = json.loads(event.data)
            if value.get("error"):
                raise Fault(one_line(_message(value)))
            ended = ended or value.get("type") == "message_stop"
            yield value
        del buffer[:at]
    if not ended:
        raise Fault("the answer was cut off")


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise Fault("the answer is not JSON") from None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise Fault(f"{path}: {why}") from None
