"""Answers: text, tools, stop reasons, usage; whole and streamed; whoever asks, whoever answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from tests.same.asked import FRAGMENTS, SCHEMA, TEXT, TIDE, TOOLS, WEATHER, Asked, Counted, Result
from tests.same.conftest import Calls, Speaker
from tests.same.heard import heard
from tests.same.places import Place
from tests.upstream import Gateway

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@both
def test_text(speaker: Speaker, place: Place, stream: bool) -> None:
    said = speaker.ask(place.model("ok", speaker.dialect), Asked(stream=stream))
    assert (said.text, said.calls, said.stop) == (TEXT, [], "end")
    if stream:
        assert said.fragments == FRAGMENTS


def test_text_that_arrives_in_the_smallest_pieces(speaker: Speaker, place: Place) -> None:
    said = speaker.ask(place.model("bytewise", speaker.dialect), Asked(stream=True))
    assert (said.text, said.fragments, said.stop) == (TEXT, FRAGMENTS, "end")


@both
def test_parallel_tool_calls(speaker: Speaker, place: Place, stream: bool) -> None:
    said = speaker.ask(place.model("tools", speaker.dialect), Asked(tools=TOOLS, stream=stream))
    assert [(call.name, call.arguments) for call in said.calls] == [("get_weather", WEATHER), ("get_tide", TIDE)]
    assert (said.stop, said.text, len({call.id for call in said.calls})) == ("tools", "", 2)
    if stream:
        assert all(number >= 2 for number in said.argument_fragments)


@both
def test_the_results_of_tools(speaker: Speaker, place: Place, calls: Calls, stream: bool) -> None:
    first = speaker.ask(place.model("tools", speaker.dialect), Asked(tools=TOOLS, stream=stream))
    results = tuple(Result(call.id, f"{call.name}: {TEXT}") for call in first.calls)
    asked = Asked(tools=TOOLS, calls=tuple(first.calls), results=results, stream=stream)
    said = speaker.ask(place.model("ok", speaker.dialect), asked)
    assert said.stop == "end"
    if calls.vendor:
        got = heard(calls.last)
        assert (got.calls, got.results) == (asked.calls, results)
        assert said.text == TEXT
    else:
        assert TEXT in said.text


@both
def test_an_answer_that_stopped_at_its_limit(speaker: Speaker, place: Place, stream: bool) -> None:
    said = speaker.ask(place.model("length", speaker.dialect), Asked(max_tokens=5, stream=stream))
    assert (said.text, said.stop) == (TEXT, "limit")


@both
def test_usage(speaker: Speaker, place: Place, server: Gateway, request_id: str, stream: bool) -> None:
    said = speaker.ask(place.model("ok", speaker.dialect), Asked(stream=stream))
    assert said.usage == Counted(21, 5)
    assert _logged(server, request_id) == Counted(21, 5)


@both
def test_usage_with_the_cache(speaker: Speaker, place: Place, server: Gateway, request_id: str, stream: bool) -> None:
    said = speaker.ask(place.model("cached", speaker.dialect), Asked(stream=stream))
    assert said.usage == place.cached
    assert _logged(server, request_id) == place.cached


def _logged(server: Gateway, request_id: str) -> Counted:
    line = server.wait_for_line(lambda line: line.get("request_id") == request_id)
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    return Counted(*(line[name] for name in names))


@both
def test_structured_output(speaker: Speaker, place: Place, calls: Calls, stream: bool) -> None:
    said = speaker.ask(place.model("ok", speaker.dialect), Asked(schema=SCHEMA, stream=stream))
    if calls.vendor:
        assert heard(calls.last).schema == SCHEMA
    else:
        assert msgspec.json.decode(said.text) == {"harbour": "Romanshorn", "berths": 450}


def test_thinking_text_and_tools_do_not_mix_up_when_asked_again(speaker: Speaker, place: Place) -> None:
    """Two answers of one connection have nothing of each other."""
    asked = Asked(tools=TOOLS, stream=True)
    models = [place.model(behaviour, speaker.dialect) for behaviour in ("tools", "ok", "tools")]
    said: list[Any] = [replace(speaker.ask(model, asked), usage=None) for model in models]
    assert [(len(answer.calls), answer.text) for answer in said] == [(2, ""), (0, TEXT), (2, "")]
