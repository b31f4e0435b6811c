"""The vendors' own SDKs, unmodified and strict about types, over a real socket to the echo."""

from __future__ import annotations

import io
import math
import wave
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Literal

import anthropic
import openai
import pydantic
import pytest

from tests.lib.providers.echo.calls import HELLO, NOW, served

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Bern"]}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city", "days"],
        },
    },
}
ARGUMENTS = '{"city":"Bern","days":2}'


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as url:
        yield url


@pytest.fixture(scope="module")
def oai(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=10, _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture(scope="module")
def lenient(url: str) -> Iterator[openai.OpenAI]:
    """Not strict, where the SDK's types do not allow for what OpenAI documents."""
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def ant(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=url, api_key="none", max_retries=0, timeout=10, _strict_response_validation=True
    ) as client:
        yield client


class City(pydantic.BaseModel):
    """What a structured answer holds."""

    name: str
    inhabitants: int = pydantic.Field(ge=1)
    twin: City | None


class Place(pydantic.BaseModel):
    """Another one, without bounds: Anthropic's SDK takes those out of the schema."""

    kind: Literal["town", "village"]
    near: list[str]


def test_chat(oai: openai.OpenAI) -> None:
    answer = oai.chat.completions.create(model="echo", messages=HELLO)
    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason, answer.created) == ("Hello big world", "stop", NOW)
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (4, 4, 8)
    assert answer._request_id


def test_chat_streamed(oai: openai.OpenAI) -> None:
    stream = oai.chat.completions.create(
        model="echo", messages=HELLO, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = stream
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", "Hello ", "big ", "world", None]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last.usage is not None
    assert (last.choices, last.usage.total_tokens) == ([], 8)


def test_chat_tools(oai: openai.OpenAI) -> None:
    answer = oai.chat.completions.create(model="echo", messages=HELLO, tools=[TOOL], tool_choice="required")
    calls = answer.choices[0].message.tool_calls
    assert calls is not None
    assert [(call.function.name, call.function.arguments) for call in calls] == [("weather", ARGUMENTS)]
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (None, "tool_calls")


def test_chat_tools_streamed(oai: openai.OpenAI) -> None:
    with oai.chat.completions.stream(
        model="echo/tool=weather+weather,chunks=3", messages=HELLO, tools=[TOOL]
    ) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls is not None
    assert [call.function.arguments for call in message.tool_calls] == [ARGUMENTS, ARGUMENTS]
    assert len({call.id for call in message.tool_calls}) == 2


def test_chat_structured(oai: openai.OpenAI) -> None:
    answer = oai.chat.completions.parse(model="echo", messages=HELLO, response_format=City)
    assert answer.choices[0].message.parsed == City(name="", inhabitants=1, twin=None)


def test_completion(oai: openai.OpenAI) -> None:
    answer = oai.completions.create(model="echo", prompt=["one", "two"], n=2)
    assert [choice.text for choice in answer.choices] == ["one", "one", "two", "two"]


def test_completion_streamed(lenient: openai.OpenAI) -> None:
    chunks = list(lenient.completions.create(model="echo", prompt="Hello big world", stream=True))
    assert [chunk.choices[0].text for chunk in chunks] == ["Hello ", "big ", "world", ""]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, None, "stop"]


def test_response(oai: openai.OpenAI) -> None:
    answer = oai.responses.create(model="echo", input="Hello big world", instructions="Be brief", temperature=0.5)
    assert (answer.output_text, answer.status, answer.temperature) == ("Hello big world", "completed", 0.5)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (6, 4)


def test_response_streamed(oai: openai.OpenAI) -> None:
    events = list(oai.responses.create(model="echo/chunks=2", input="Hello big world", stream=True))
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "Hello big world"


def test_response_tools_streamed(oai: openai.OpenAI) -> None:
    tool = {"type": "function", "strict": True, **TOOL["function"]}
    choice = {"type": "function", "name": "weather"}
    with oai.responses.stream(model="echo", input="Hello", tools=[tool], tool_choice=choice) as stream:  # type: ignore[list-item,arg-type]
        final = stream.get_final_response()
    assert [(item.type, item.arguments) for item in final.output] == [("function_call", ARGUMENTS)]  # type: ignore[union-attr]


def test_response_structured(oai: openai.OpenAI) -> None:
    answer = oai.responses.parse(model="echo", input="Hello", text_format=City)
    assert answer.output_parsed == City(name="", inhabitants=1, twin=None)


def test_embeddings(oai: openai.OpenAI, lenient: openai.OpenAI) -> None:
    packed = lenient.embeddings.create(model="echo", input=["one", "two"], dimensions=8)  # base64 on the wire
    plain = oai.embeddings.create(model="echo", input=["one", "two"], dimensions=8, encoding_format="float")
    assert [row.embedding for row in packed.data] == [row.embedding for row in plain.data]
    assert [math.fsum(x * x for x in row.embedding) for row in plain.data] == pytest.approx([1, 1], rel=1e-6)
    assert plain.usage.total_tokens == 2


def test_moderation(oai: openai.OpenAI) -> None:
    verdicts = oai.moderations.create(model="echo", input=["one", "two"]).results
    assert [verdict.flagged for verdict in verdicts] == [False, False]
    assert verdicts[0].categories.harassment_threatening is False


def test_images(oai: openai.OpenAI) -> None:
    answer = oai.images.generate(model="echo", prompt="a cat", n=2)
    assert answer.data is not None
    files = [b64decode(image.b64_json or "") for image in answer.data]
    assert [file[:8] for file in files] == [b"\x89PNG\r\n\x1a\n"] * 2
    assert answer.usage is not None
    assert answer.usage.total_tokens == 4


def test_images_streamed(oai: openai.OpenAI) -> None:
    events = list(oai.images.generate(model="echo", prompt="a cat", stream=True, partial_images=2))
    kinds = ["image_generation.partial_image", "image_generation.partial_image", "image_generation.completed"]
    assert [event.type for event in events] == kinds


def test_speech(oai: openai.OpenAI) -> None:
    sound = oai.audio.speech.create(model="echo", voice="alloy", input="Hello", response_format="wav").content
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (24_000, 1, 6_000)


def test_transcription(oai: openai.OpenAI) -> None:
    answer = oai.audio.transcriptions.create(model="echo", file=("talk.wav", bytes(3000)))
    assert answer.text == "Received talk.wav, 3000 bytes."
    assert answer.usage is not None
    assert answer.usage.type == "tokens"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 8)


def test_transcription_streamed(oai: openai.OpenAI) -> None:
    events = list(oai.audio.transcriptions.create(model="echo", file=("talk.wav", bytes(3000)), stream=True))
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == (
        "Received talk.wav, 3000 bytes."
    )
    assert events[-1].type == "transcript.text.done"


def test_transcription_knobs(oai: openai.OpenAI) -> None:
    answer = oai.audio.transcriptions.create(
        model="echo", file=("a.wav", b"x"), extra_body={"echo": {"reply": "Said this", "completion_tokens": 99}}
    )
    assert answer.text == "Said this"
    assert answer.usage is not None
    assert answer.usage.type == "tokens"
    assert answer.usage.output_tokens == 99


def test_message(ant: anthropic.Anthropic) -> None:
    answer = ant.messages.create(model="echo", max_tokens=10, messages=HELLO, system="Be brief")  # type: ignore[arg-type]
    assert [block.text for block in answer.content if block.type == "text"] == ["Hello big world"]
    assert (answer.stop_reason, answer.usage.input_tokens, answer.usage.output_tokens) == ("end_turn", 6, 4)


def test_message_streamed(ant: anthropic.Anthropic) -> None:
    with ant.messages.stream(model="echo/cached_tokens=7", max_tokens=10, messages=HELLO) as stream:  # type: ignore[arg-type]
        texts = list(stream.text_stream)
        final = stream.get_final_message()
    assert texts == ["Hello ", "big ", "world"]
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 4)
    assert (final.usage.input_tokens, final.usage.cache_read_input_tokens) == (4, 7)


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "weather"}])
def test_message_tools(ant: anthropic.Anthropic, choice: Any) -> None:
    tool: Any = {"name": "weather", "input_schema": TOOL["function"]["parameters"]}
    asked: Any = {"max_tokens": 10, "messages": HELLO, "tools": [tool], "tool_choice": choice}
    answer = ant.messages.create(model="echo", **asked)
    with ant.messages.stream(model="echo", **asked) as stream:
        streamed = stream.get_final_message()
    for message in (answer, streamed):
        assert message.stop_reason == "tool_use"
        assert [block.input for block in message.content if block.type == "tool_use"] == [{"city": "Bern", "days": 2}]


def test_message_structured(ant: anthropic.Anthropic) -> None:
    answer = ant.messages.parse(model="echo", max_tokens=10, messages=HELLO, output_format=Place)  # type: ignore[arg-type]
    assert answer.parsed_output == Place(kind="town", near=[])


def test_count_tokens(ant: anthropic.Anthropic) -> None:
    assert ant.messages.count_tokens(model="echo", messages=HELLO).input_tokens == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
def test_openai_errors(oai: openai.OpenAI, status: int, kind: type[openai.APIStatusError]) -> None:
    with pytest.raises(kind) as caught:
        oai.chat.completions.create(model="echo", messages=HELLO, extra_body={"echo": {"error": status}})
    assert f"status {status}" in caught.value.message


@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
def test_anthropic_errors(
    ant: anthropic.Anthropic, status: int, kind: type[anthropic.APIStatusError], name: str
) -> None:
    with pytest.raises(kind) as caught:
        ant.messages.create(model=f"echo/error={status}", max_tokens=1, messages=HELLO)  # type: ignore[arg-type]
    assert (caught.value.status_code, caught.value.type) == (status, name)


def test_error_inside_an_openai_stream(oai: openai.OpenAI) -> None:
    stream = oai.chat.completions.create(model="echo/error_after=2,error=429", messages=HELLO, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(3)] == ["", "Hello ", "big "]
    with pytest.raises(openai.APIError, match="status 429"):
        next(stream)


def test_error_inside_an_anthropic_stream(ant: anthropic.Anthropic) -> None:
    with (
        pytest.raises(anthropic.APIStatusError, match="overloaded_error"),
        ant.messages.stream(model="echo/error_after=1,error=529", max_tokens=1, messages=HELLO) as stream,  # type: ignore[arg-type]
    ):
        stream.until_done()
