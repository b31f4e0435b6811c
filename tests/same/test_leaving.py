"""Callers who leave: the vendor stops at once, in the middle of a stream as well as before the first byte."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from tests.same.asked import Asked
from tests.same.conftest import Calls, Speaker
from tests.same.places import Place
from tests.upstream import Gateway

Impatient = (openai.APITimeoutError, anthropic.APITimeoutError)


def noticed(server: Gateway, calls: Calls, request_id: str) -> dict[str, Any]:
    """The access line of a call that was left, once its vendor has seen it go."""
    if calls.vendor:
        calls.vendor.wait(lambda _: calls.last.cancelled)
    return server.wait_for_line(lambda line: line.get("request_id") == request_id and line.get("event") == "request")


def test_leaving_a_stream(speaker: Speaker, place: Place, calls: Calls, server: Gateway, request_id: str) -> None:
    stream = speaker.open(place.model("silent-stream", speaker.dialect), Asked())
    next(iter(stream))
    stream.close()
    line = noticed(server, calls, request_id)
    assert (line["client_gone"], line["status"], line["stream"]) == (True, 200, True)


def test_leaving_before_an_answer(
    speaker: Speaker, place: Place, calls: Calls, server: Gateway, request_id: str
) -> None:
    with pytest.raises(Impatient):
        speaker.ask(place.model("silent", speaker.dialect), Asked(), timeout=0.5)
    line = noticed(server, calls, request_id)
    assert (line["client_gone"], line["status"], line["stream"]) == (True, 499, False)


def test_leaving_before_a_stream_begins(
    speaker: Speaker, place: Place, calls: Calls, server: Gateway, request_id: str
) -> None:
    with pytest.raises(Impatient):
        speaker.ask(place.model("silent", speaker.dialect), Asked(stream=True), timeout=0.5)
    assert noticed(server, calls, request_id)["client_gone"] is True
