"""Questions: everything that was asked reaches the vendor in its own dialect, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.same.asked import IMAGE, SCHEMA, TOOLS, Asked, Result, ToolCall
from tests.same.conftest import VENDORS, Calls, Speaker
from tests.same.heard import heard
from tests.same.places import Place

pytestmark = pytest.mark.parametrize("place", VENDORS, indirect=True)

QUESTIONS = {
    "text": Asked("Grüezi 👋"),
    "system": Asked(system="Antworte kurz."),
    "image": Asked(image=IMAGE),
    "limits": Asked(max_tokens=7, temperature=0.5, top_p=0.25, stops=("END", "\n\n")),
    "tools": Asked(tools=TOOLS),
    "auto": Asked(tools=TOOLS, choice="auto"),
    "required": Asked(tools=TOOLS, choice="required"),
    "named": Asked(tools=TOOLS, choice="get_tide"),
    "one-at-a-time": Asked(tools=TOOLS, choice="auto", parallel=False),
    "structured": Asked(schema=SCHEMA),
    "user": Asked(user="user-1"),
    "conversation": Asked(
        system="Antworte kurz.",
        tools=TOOLS,
        calls=(ToolCall("call_1", "get_tide", {"place": "Bregenz"}), ToolCall("call_2", "get_weather", {})),
        results=(Result("call_1", "low"), Result("call_2", "fair ☀")),
    ),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_it_arrives_whole(speaker: Speaker, place: Place, calls: Calls, name: str, stream: bool) -> None:
    asked = replace(QUESTIONS[name], stream=stream)
    speaker.ask(place.model("ok", speaker.dialect), asked)
    assert len(calls.all) == 1
    assert heard(calls.last) == (replace(asked, user="") if place.name == "bedrock" else asked)


def test_tools_that_must_not_be_called(speaker: Speaker, place: Place, calls: Calls) -> None:
    """Converse has no such choice: without earlier calls, no tools are as good."""
    asked = Asked(tools=TOOLS, choice="none")
    speaker.ask(place.model("ok", speaker.dialect), asked)
    wanted = Asked() if place.name == "bedrock" else asked
    assert heard(calls.last) == wanted
    again = replace(asked, calls=(ToolCall("call_1", "get_tide", {}),), results=(Result("call_1", "low"),))
    speaker.ask(place.model("ok", speaker.dialect), again)
    assert heard(calls.last) == again


def test_credentials_are_the_gateways_own(speaker: Speaker, place: Place, calls: Calls) -> None:
    speaker.ask(place.model("ok", speaker.dialect), Asked())
    call = calls.last
    assert "key-of-the-tests" not in str(call.headers)
    shown = {
        "compatible": (None, None),
        "anthropic": (None, "sk-ant-vendor-0123456789"),
        "bedrock": ("AWS4-HMAC-SHA256 Credential=AKIDTESTS", None),
    }
    authorization = call.header("authorization")
    known = authorization and authorization.partition("/")[0]
    assert (known, call.header("x-api-key")) == shown[place.name]
