"""OpenAI's SDK on every route it has here: whole answers and streams, and what the vendor got to see."""

from __future__ import annotations

import io
from typing import Any

import openai
import pytest

from tests.sdk.conftest import Seen
from tests.upstream import Recipe, Upstream
from tests.upstream.openai_others import IMAGE_USAGE, PIXEL

HELLO: Any = [{"role": "user", "content": "Grüezi"}]
TEXT = Recipe().text
FRAGMENTS = Recipe().fragments
RECORDING = bytes(range(256)) * 700  # more than one read of a socket


def test_a_chat_completion(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.chat.completions.create(model="gpt-4o", messages=HELLO, temperature=0.25, seed=7)
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-4o"
    assert seen.call.json == {"messages": HELLO, "model": "gpt-4o", "seed": 7, "temperature": 0.25}


def test_a_streamed_chat_completion(oai: openai.OpenAI, seen: Seen) -> None:
    chunks = list(oai.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["", *FRAGMENTS, None]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert seen.call.json["stream_options"] == {"include_usage": True}


def test_the_helper_for_streamed_chat_completions(oai: openai.OpenAI, seen: Seen) -> None:
    with oai.chat.completions.stream(model="gpt-4o", messages=HELLO) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
    assert "".join(deltas) == TEXT
    assert stream.get_final_completion().choices[0].message.content == TEXT


def test_a_text_completion(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once")
    assert (answer.choices[0].text, answer.object) == (TEXT, "text_completion")
    chunks = list(oai.completions.create(model="gpt-3.5-turbo-instruct", prompt="Once", stream=True))
    assert [chunk.choices[0].text for chunk in chunks] == [*FRAGMENTS, ""]
    assert all(chunk.usage is None for chunk in chunks)
    assert [call.route for call in seen.calls] == ["/v1/completions"] * 2


def test_a_response(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.responses.create(model="gpt-4o", input="Grüezi", instructions="Be brief.")
    assert (answer.output_text, answer.status) == (TEXT, "completed")
    assert seen.call.json == {"input": "Grüezi", "instructions": "Be brief.", "model": "gpt-4o"}


def test_a_streamed_response(oai: openai.OpenAI, seen: Seen) -> None:
    events = list(oai.responses.create(model="gpt-4o", input="Grüezi", stream=True))
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == FRAGMENTS
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert "stream_options" not in seen.call.json


def test_the_helper_for_streamed_responses(oai: openai.OpenAI, seen: Seen) -> None:
    with oai.responses.stream(model="gpt-4o", input="Grüezi") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
    assert "".join(deltas) == TEXT
    assert stream.get_final_response().output_text == TEXT


def test_embeddings_travel_as_base64(oai: openai.OpenAI, seen: Seen) -> None:
    packed = oai.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=8)
    assert seen.call.json["encoding_format"] == "base64"
    plain = oai.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], dimensions=8, encoding_format="float"
    )
    assert [row.embedding for row in packed.data] == [row.embedding for row in plain.data]
    assert [len(row.embedding) for row in packed.data] == [8, 8]
    assert packed.usage.prompt_tokens == 14


def test_moderation_without_a_model_gets_the_operators_default(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.moderations.create(input=["mild", "milder"])
    assert [result.flagged for result in answer.results] == [False, False]
    assert seen.call.json == {"input": ["mild", "milder"], "model": "omni-moderation-latest"}


def test_images(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.images.generate(model="openai/gpt-image-1", prompt="a gull")
    assert answer.data is not None
    assert answer.data[0].b64_json == PIXEL
    assert answer.usage is not None
    assert answer.usage.total_tokens == IMAGE_USAGE["total_tokens"]
    events = list(oai.images.generate(model="openai/gpt-image-1", prompt="a gull", stream=True, partial_images=1))
    assert [event.type for event in events] == ["image_generation.partial_image", "image_generation.completed"]
    assert [call.json["model"] for call in seen.calls] == ["gpt-image-1", "gpt-image-1"]


def test_speech(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.audio.speech.create(model="openai/tts-1", input="Grüezi", voice="alloy")
    assert answer.content == bytes(seen.call.payload)
    assert len(answer.content) == 5 * 3072


def test_speech_arrives_while_it_is_made(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("stream-4-0.05")
    with oai.audio.speech.with_streaming_response.create(model="openai/tts-1", input="Hoi", voice="alloy") as answer:
        pieces = list(answer.iter_bytes())
    assert len(pieces) > 1
    assert b"".join(pieces) == bytes(seen.call.payload)


@pytest.mark.parametrize("file", [("a.mp3", RECORDING), ("ü.wav", io.BytesIO(RECORDING), "audio/wav")])
def test_a_transcription(oai: openai.OpenAI, seen: Seen, file: tuple[str, bytes]) -> None:
    answer = oai.audio.transcriptions.create(model="openai/whisper-1", file=file, language="de")
    assert answer.text == TEXT
    parts = {part.name: part for part in seen.call.parts}
    assert (parts["model"].data, parts["language"].data) == (b"whisper-1", b"de")
    assert (parts["file"].filename, parts["file"].data) == (file[0], RECORDING)


def test_a_transcription_as_text_and_streamed(oai: openai.OpenAI, seen: Seen) -> None:
    file = ("a.mp3", RECORDING)
    text = oai.audio.transcriptions.create(model="openai/whisper-1", file=file, response_format="text")
    assert text == TEXT + "\n"
    events = list(oai.audio.transcriptions.create(model="openai/gpt-4o-transcribe", file=file, stream=True))
    assert [event.delta for event in events if event.type == "transcript.text.delta"] == FRAGMENTS
    assert events[-1].type == "transcript.text.done"


def test_the_models_that_callers_may_name(oai: openai.OpenAI, seen: Seen) -> None:
    assert [model.id for model in oai.models.list()] == ["house-model", "echo"]
    assert oai.models.retrieve("house-model").id == "house-model"
    assert oai.models.retrieve("openai/gpt-4o").id == "openai/gpt-4o"
    with pytest.raises(openai.NotFoundError):
        oai.models.retrieve("nobodys-model")
    assert seen.calls == []


def test_an_alias_leads_to_its_target(oai: openai.OpenAI, seen: Seen) -> None:
    answer = oai.chat.completions.create(model="house-model", messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    assert seen.call.json["model"] == "gpt-4o"
