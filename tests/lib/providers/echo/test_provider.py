"""The echo on every path, whole and streamed: shapes, the rule of the reply, refusals, determinism."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.providers import Outgoing, Provider
from lib.providers.echo import EchoProvider
from lib.wire import EMBED, PATHS, Dialect, Shape, UsageWatch, find_usage
from tests.lib.providers.echo.calls import BODIES, BY_NAME, HELLO, NOW, ask, form, upload

STREAMS = [path.name for path in PATHS if path.streams and not path.multipart]
TALKS = ("chat_completions", "responses", "messages")


def test_it_is_a_provider_of_every_path() -> None:
    provider: Provider = EchoProvider("openai")
    assert provider.name == "openai"
    assert provider.asks_for_usage is True
    assert [provider.dialect(path) for path in PATHS] == [path.dialect for path in PATHS]


def test_every_path_of_the_table_is_tried_here() -> None:
    assert {*BODIES, "audio_transcriptions"} == set(BY_NAME)


@pytest.mark.parametrize("name", BODIES)
def test_whole(name: str) -> None:
    got = ask(name)
    assert got.status == 200
    assert got.headers["content-length"] == str(len(got.body))
    assert got.headers["content-type"] == ("audio/mpeg" if name == "audio_speech" else "application/json")
    assert got.headers["request-id" if BY_NAME[name].dialect is Dialect.ANTHROPIC else "x-request-id"]


@pytest.mark.parametrize("name", STREAMS)
def test_streamed(name: str) -> None:
    got = ask(name, stream=True)
    assert got.status == 200
    assert got.headers["content-type"].startswith("text/event-stream")
    assert "content-length" not in got.headers
    assert got.body.endswith(b"\n\n")
    assert all(isinstance(data, dict) for data in got.data)


@pytest.mark.parametrize("name", sorted(set(BODIES) - set(STREAMS)))
def test_a_path_that_does_not_stream_answers_whole(name: str) -> None:
    assert ask(name, stream=True).headers["content-length"]


@pytest.mark.parametrize("name", BODIES)
def test_the_same_request_gets_the_same_answer_and_another_gets_another(name: str) -> None:
    assert ask(name) == ask(name)
    assert ask(name).headers != ask(name, user="somebody").headers


def test_the_time_comes_from_the_clock_and_the_model_from_the_request() -> None:
    chat = ask("chat_completions", model="echo/gap=0").json
    assert (chat["created"], chat["model"]) == (NOW, "echo/gap=0")
    assert ask("responses").json["created_at"] == NOW
    assert ask("moderations", model="").json["model"] == "echo"
    assert {event["created"] for event in ask("chat_completions", stream=True).data} == {NOW}


def test_standing_in_for_another_model_it_reads_no_knobs_in_the_name() -> None:
    assert ask("chat_completions", model="meta/llama=3").json["model"] == "meta/llama=3"


# ---- the rule of the reply ----


def said(name: str, body: dict[str, Any]) -> str:
    answer = ask(name, body, max_tokens=5).json
    if name == "chat_completions":
        return str(answer["choices"][0]["message"]["content"])
    content = answer["content"] if name == "messages" else answer["output"][0]["content"]
    return str(content[0]["text"])


def talk(name: str, messages: list[Any]) -> dict[str, Any]:
    return {"input" if name == "responses" else "messages": messages}


@pytest.mark.parametrize("name", TALKS)
@pytest.mark.parametrize(
    ("messages", "reply"),
    [
        ([{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}], "one"),
        ([{"role": "user", "content": "one"}, {"role": "user", "content": "two"}], "two"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]}], "a\nb"),
        ([{"role": "user", "content": "one"}, {"role": "user", "content": [{"type": "image"}]}], "echo"),
        ([{"role": "user", "content": None}], "echo"),
        ([{"role": "system", "content": "rules"}], "echo"),
        ([], "echo"),
        ([{"role": "user", "content": " spaces \n stay "}], " spaces \n stay "),
        ([{"role": "user", "content": 'Zürich 😀 " \\ \u2028'}], 'Zürich 😀 " \\ \u2028'),
    ],
)
def test_the_last_word_of_the_user_comes_back(name: str, messages: list[Any], reply: str) -> None:
    assert said(name, talk(name, messages)) == reply


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("chat_completions", {"role": "tool", "tool_call_id": "c", "content": "sunny"}),
        ("responses", {"type": "function_call_output", "call_id": "c", "output": "sunny"}),
        ("responses", {"type": "function_call_output", "output": [{"type": "input_text", "text": "sunny"}]}),
        ("messages", {"role": "user", "content": [{"type": "tool_result", "content": "sunny"}]}),
        ("messages", {"role": "user", "content": [{"type": "tool_result", "content": [{"text": "sunny"}]}]}),
    ],
)
def test_a_tools_result_comes_back_too(name: str, result: dict[str, Any]) -> None:
    assert said(name, talk(name, [{"role": "user", "content": "weather?"}, result])) == "sunny"


def test_a_response_to_nothing_is_the_echo() -> None:
    assert said("responses", {}) == "echo"


def test_completions_of_texts_and_tokens() -> None:
    def texts(**body: Any) -> list[str]:
        return [choice["text"] for choice in ask("completions", body).json["choices"]]

    assert texts(prompt=["a", "b"], n=2) == ["a", "a", "b", "b"]
    assert texts(prompt=[1, 2, 3]) == ["echo"]
    assert texts(prompt=[[1, 2], [3]]) == ["echo", "echo"]
    assert texts(prompt="a b", echo=True) == ["a ba b"]
    assert texts(prompt="a", echo=False) == ["a"]
    assert texts(prompt="a", echo={"reply": "z"}) == ["z"]
    assert ask("completions", {"prompt": [[1, 2], [3]]}).json["usage"]["prompt_tokens"] == 3


def test_choices_are_copies_of_each_other() -> None:
    whole = ask("chat_completions", n=3).json
    assert [choice["index"] for choice in whole["choices"]] == [0, 1, 2]
    assert whole["usage"]["completion_tokens"] == 12
    streamed = [event["choices"][0] for event in ask("chat_completions", stream=True, n=3).data]
    for index in range(3):
        deltas = [choice["delta"].get("content") or "" for choice in streamed if choice["index"] == index]
        assert "".join(deltas) == "Hello big world"


# ---- usage ----


def test_openai_streams_carry_usage_only_when_asked() -> None:
    for name in ("chat_completions", "completions"):
        plain = ask(name, stream=True).data
        assert not any("usage" in event for event in plain)
        *chunks, last = ask(name, stream=True, stream_options={"include_usage": True}).data
        assert all(event["usage"] is None for event in chunks)
        assert (last["choices"], last["usage"]["total_tokens"]) == ([], 8)


@pytest.mark.parametrize("name", STREAMS)
def test_whole_and_streamed_answers_count_the_same_for_the_gateway(name: str) -> None:
    counts = {"cached_tokens": 7, "cache_write_tokens": 5, "reasoning_tokens": 3, "chunks": 11}
    whole = ask(name, echo=counts)
    streamed = ask(name, stream=True, echo=counts, stream_options={"include_usage": True})
    path = BY_NAME[name]
    watch = UsageWatch(path.dialect, path.shape)
    watch.see(streamed.body)
    found = find_usage(path.shape, whole.body)
    assert found is not None
    assert watch.usage is not None
    assert watch.final
    kinds = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    assert [getattr(watch.usage, kind) for kind in kinds] == [getattr(found, kind) for kind in kinds]
    if path.shape is not Shape.IMAGE:  # which has no places for the details
        assert (found.cache_read_tokens, found.cache_write_tokens, found.reasoning_tokens) == (7, 5, 3)
        assert found.input_tokens == 4


# ---- refusals ----


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"input":"\xff"}', b"[" * 50_000, b'{"a":' * 50_000]
)
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_object_is_refused_in_the_dialects_shape(name: str, raw: bytes) -> None:
    got = ask(name, raw)
    assert got.status == 400
    assert error_of(name, got.json)["type"] == "invalid_request_error"


@pytest.mark.parametrize("name", BODIES)
def test_what_a_path_requires_is_required(name: str) -> None:
    for field in BY_NAME[name].required:
        if field == "model":
            continue  # the gateway's to see to: `Outgoing.model`
        got = ask(name, {key: value for key, value in BODIES[name].items() if key != field})
        assert got.status == 400
        assert f"`{field}`" in error_of(name, got.json)["message"]


@pytest.mark.parametrize(
    ("name", "body", "param"),
    [
        ("chat_completions", {"messages": "x"}, "messages"),
        ("chat_completions", {"messages": [1]}, "messages"),
        ("chat_completions", {"messages": HELLO, "n": 0}, "n"),
        ("chat_completions", {"messages": HELLO, "n": 129}, "n"),
        ("chat_completions", {"messages": HELLO, "tools": {}}, "tools"),
        ("chat_completions", {"messages": HELLO, "tool_choice": {"type": "custom"}}, "tool_choice"),
        ("chat_completions", {"messages": HELLO, "tool_choice": "required"}, "tools"),
        ("completions", {"prompt": {}}, "prompt"),
        ("completions", {"prompt": []}, "prompt"),
        ("completions", {"prompt": ["a"] * 2049}, "prompt"),
        ("completions", {"prompt": [["a"]]}, "prompt"),
        ("completions", {"prompt": [1, "a"]}, "prompt"),
        ("responses", {"input": 1}, "input"),
        ("embeddings", {"input": [True]}, "input"),
        ("embeddings", {"input": "x", "dimensions": 0}, "dimensions"),
        ("embeddings", {"input": "x", "encoding_format": "hex"}, "encoding_format"),
        ("embeddings", {"input": ["x"] * 2049, "dimensions": 1}, "input"),
        ("embeddings", {"input": ["x"] * 2000, "dimensions": 2001}, "input"),
        ("moderations", {"input": 1}, "input"),
        ("moderations", {"input": ["x"] * 101}, "input"),
        ("moderations", {"input": [{"type": "text", "text": "x"}] * 101}, "input"),
        ("images_generations", {"prompt": "x", "n": 11}, "n"),
        ("audio_speech", {"input": "x", "voice": "alloy", "response_format": "flac"}, "response_format"),
        ("audio_speech", {"input": "x", "voice": "alloy", "stream_format": "sse"}, "stream_format"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, body: dict[str, Any], param: str) -> None:
    got = ask(name, body)
    assert got.status == 400
    assert got.json["error"]["param"] == param


def error_of(name: str, body: Any) -> dict[str, Any]:
    """The error in a body, which must have the dialect's shape."""
    error: dict[str, Any] = body["error"]
    if BY_NAME[name].dialect is Dialect.ANTHROPIC:
        assert (body["type"], set(error)) == ("error", {"type", "message"})
    else:
        assert (set(body), set(error)) == ({"error"}, {"message", "type", "param", "code"})
    return error


def test_a_reply_too_long_for_memory_is_refused() -> None:
    got = ask("chat_completions", {"messages": [{"role": "user", "content": "x" * 10_000}]}, echo={"chunks": 100_000})
    assert got.status == 400
    assert "longer than" in got.json["error"]["message"]


def test_what_the_body_raises_while_it_is_read_passes_through() -> None:
    def body() -> Any:
        yield b'{"messages":'
        raise ConnectionError

    answer = EchoProvider().send(Outgoing(path=BY_NAME["chat_completions"], model="echo", body=body()))
    with pytest.raises(ConnectionError):
        answer.start(1)


def test_a_body_in_pieces_is_put_together() -> None:
    pieces = iter([b'{"messages":[{"role":"us', b'er","content":"joined"}]}'])
    answer = EchoProvider().send(Outgoing(path=BY_NAME["chat_completions"], model="echo", body=pieces))
    assert answer.start(1)
    assert b'"joined"' in (answer.read(1) or b"")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = [
    *("messages", "input", "prompt", "system", "instructions", "tools", "tool_choice", "text", "output_config"),
    *("response_format", "n", "max_tokens", "stream_options", "voice", "dimensions", "echo"),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(BODIES)), st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=4), st.booleans())
def test_no_body_is_too_strange(name: str, odd: dict[str, Any], stream: bool) -> None:
    body = {**BODIES[name], **odd}
    if isinstance(body.get("echo"), dict):
        body["echo"] = {}
    got = ask(name, msgspec.json.encode(body), stream=stream)
    assert got.status in (200, 400)
    assert got.body


# ---- the paths that are not conversations ----


def test_embeddings_of_the_same_text_are_the_same_and_shorter_ones_point_the_same_way() -> None:
    def vectors(**body: Any) -> list[list[float]]:
        return [row["embedding"] for row in ask("embeddings", body).json["data"]]

    one, two, again = vectors(input=["one", "two", "one"])
    assert one == again != two
    assert len(one) == 1536
    assert sum(x * x for x in one) == pytest.approx(1, rel=1e-6)
    short = vectors(input="one", dimensions=2)[0]
    assert short[0] / short[1] == pytest.approx(one[0] / one[1], rel=1e-5)
    assert vectors(input="one", dimensions=1) in ([[1.0]], [[-1.0]])
    assert len(vectors(input=[[1, 2], [3]], dimensions=4)) == 2


def test_moderations_give_a_verdict_for_each_text_and_one_for_mixed_input() -> None:
    def verdicts(given: Any) -> list[bool]:
        return [result["flagged"] for result in ask("moderations", {"input": given}).json["results"]]

    assert verdicts("x") == [False]
    assert verdicts(["x", "y"]) == [False, False]
    assert verdicts([{"type": "text", "text": "x"}, {"type": "image_url"}]) == [False]


def test_an_image_as_a_url_is_a_data_url() -> None:
    image = ask("images_generations", response_format="url").json["data"][0]
    assert image["url"].startswith("data:image/png;base64,iVBOR")


def test_speech_is_in_the_format_asked_for() -> None:
    def speech(kind: str) -> tuple[str, bytes]:
        got = ask("audio_speech", response_format=kind)
        return got.headers["content-type"], got.body

    assert speech("pcm") == ("audio/pcm", bytes(12_000))
    kind, wav = speech("wav")
    assert (kind, wav[:4], wav[8:12], len(wav)) == ("audio/wav", b"RIFF", b"WAVE", 12_044)
    kind, mp3 = speech("mp3")
    assert kind == "audio/mpeg"
    # Frames of 192 bytes, each with the header of MPEG-1 layer III, 64 kbit/s, 48 kHz, mono.
    assert {mp3[at : at + 4] for at in range(0, len(mp3), 192)} == {b"\xff\xfb\x54\xc4"}


def test_transcriptions() -> None:
    assert upload(form({})).json["text"] == "Received a.wav, 4 bytes."
    text = upload(form({"response_format": "text"}))
    assert (text.headers["content-type"], text.body) == ("text/plain; charset=utf-8", b"Received a.wav, 4 bytes.\n")
    assert upload(form({"response_format": "verbose_json"})).json["task"] == "transcribe"
    refused = upload(form({"response_format": "srt"}))
    assert (refused.status, refused.json["error"]["param"]) == (400, "response_format")
    assert upload(form({"a": "b"}, file=None)).json["error"]["param"] == "file"


def test_transcriptions_are_streamed() -> None:
    *deltas, done = upload(form({"stream": "true"}), stream=True).data
    assert [event["delta"] for event in deltas] == ["Received ", "a.wav, ", "4 ", "bytes."]
    assert (done["type"], done["text"]) == ("transcript.text.done", "Received a.wav, 4 bytes.")


def test_ids_in_one_answer_differ() -> None:
    body = ask("responses", echo={"tool": "f+f+f"}, tools=[{"type": "function", "name": "f"}]).body
    ids = re.findall(rb'"(?:id|call_id)":"([^"]+)"', body)
    assert len(ids) == len(set(ids)) == 7


@pytest.mark.parametrize("inputs", ["Hoi", ["Hoi", "Sali"]])
def test_one_model_behind_an_address_answers_with_bare_vectors(inputs: str | list[str]) -> None:
    outgoing = Outgoing(path=EMBED, model="echo", body=msgspec.json.encode({"inputs": inputs}))
    answer = EchoProvider().send(outgoing)
    assert answer.start(1)
    vectors = msgspec.json.decode(b"".join(iter(lambda: answer.read(1) or b"", b"")))
    assert [len(vector) for vector in vectors] == [1024] * (1 if isinstance(inputs, str) else len(inputs))
    assert all(abs(sum(value * value for value in vector) - 1) < 1e-3 for vector in vectors)


@pytest.mark.parametrize("body", [b"{}", b'{"inputs": 7}', b'{"inputs": []}', b'{"inputs": [["x"]]}'])
def test_and_refuses_what_it_cannot_embed(body: bytes) -> None:
    answer = EchoProvider().send(Outgoing(path=EMBED, model="echo", body=body))
    assert answer.start(1)
    assert answer.status == 400
