"""Each knob of the echo, in the body and in the model's name; what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from lib.base.errors import RateLimited
from lib.providers.echo.errors import Refusal
from lib.providers.echo.knobs import Knobs, read_knobs
from lib.wire import bears_content, ends, nearly_ends
from tests.lib.providers.echo.calls import BODIES, BY_NAME, ask, form, upload

TALKS = ("chat_completions", "responses", "messages")
STREAMS = [name for name, path in BY_NAME.items() if path.streams and not path.multipart]
OPENAI = [name for name, path in BY_NAME.items() if path.dialect == "openai" and not path.multipart]


def texts(name: str, **more: Any) -> list[str]:
    """The pieces of text in a stream."""
    out = []
    for event in ask(name, stream=True, **more).data:
        choice = (event.get("choices") or [{}])[0]
        delta = event.get("delta") or choice.get("delta", {}).get("content") or choice.get("text")
        text = delta.get("text") if isinstance(delta, dict) else delta
        out += [text] if text else []
    return out


def whole_text(name: str, **more: Any) -> str:
    answer = ask(name, **more).json
    if name == "messages":
        return str(answer["content"][0]["text"])
    if name == "responses":
        return str(answer["output"][0]["content"][0]["text"])
    return str(answer["choices"][0]["message"]["content"])


def test_both_places_are_read_and_the_body_wins() -> None:
    assert read_knobs("echo") == Knobs()
    assert read_knobs("echo/") == Knobs()
    assert read_knobs("echo/delay=0.5,chunks=20,usage=false") == Knobs(delay=0.5, chunks=20, usage=False)
    assert read_knobs("echo/delay=0.5,chunks=20", {"chunks": 3}) == Knobs(delay=0.5, chunks=3)
    assert read_knobs("echo/chunks=20", {"chunks": None}) == Knobs()
    assert read_knobs("echo", form={"chunks": "3"}) == Knobs(chunks=3)
    assert read_knobs("gpt=4/chunks=2") == Knobs()


@pytest.mark.parametrize(
    ("name", "param"),
    [
        ("echo/dely=1", "echo.dely"),
        ("echo/delay", "echo.delay"),
        ("echo/delay=", "echo.delay"),
        ("echo/delay=1,delay=2", "echo.delay"),
        ("echo/,", "echo."),
        ("echo/delay=soon", "echo.delay"),
        ("echo/delay=-1", "echo.delay"),
        ("echo/delay=nan", "echo.delay"),
        ("echo/delay=601", "echo.delay"),
        ("echo/gap=61", "echo.gap"),
        ("echo/silence=601", "echo.silence"),
        ("echo/chunks=0", "echo.chunks"),
        ("echo/chunks=1.5", "echo.chunks"),
        ("echo/chunks=100001", "echo.chunks"),
        ("echo/error=399", "echo.error"),
        ("echo/error=600", "echo.error"),
        ("echo/error_after=-1", "echo.error_after"),
        ("echo/cut=x", "echo.cut"),
        ("echo/usage=maybe", "echo.usage"),
        ("echo/prompt_tokens=1000000001", "echo.prompt_tokens"),
        ("echo/finish_reason=No!", "echo.finish_reason"),
        ("echo/reply=hello", "echo.reply"),
        ("echo/retry_after=5", "echo.retry_after"),
        ("echo/retry_after=5,error=429,error_after=1", "echo.retry_after"),
        ("echo/prompt_tokens=4,cached_tokens=5", "echo.prompt_tokens"),
        ("echo/prompt_tokens=4,cache_write_tokens=5", "echo.prompt_tokens"),
        ("echo/completion_tokens=4,reasoning_tokens=5", "echo.completion_tokens"),
    ],
)
def test_a_bad_knob_in_the_name_is_refused_by_name(name: str, param: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_knobs(name)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ([], "echo"),
        ("delay=1", "echo"),
        ({"x" * 1000: 1}, "echo." + "x" * 64),
        ({"delay": "1"}, "echo.delay"),
        ({"chunks": True}, "echo.chunks"),
        ({"reply": 1}, "echo.reply"),
        ({"usage": 0}, "echo.usage"),
    ],
)
def test_a_bad_knob_in_the_body_is_refused_by_name(given: Any, param: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_knobs("echo", given)
    assert caught.value.param == param
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("name", BODIES)
def test_a_refusal_names_the_knob_on_every_path(name: str) -> None:
    got = ask(name, echo={"dely": 1}) if name != "completions" else ask(name, model="echo/dely=1")
    assert got.status == 400
    assert "`dely`" in got.json["error"]["message"]


@pytest.mark.parametrize("name", TALKS)
def test_reply(name: str) -> None:
    assert whole_text(name, echo={"reply": "Something else"}) == "Something else"
    assert texts(name, echo={"reply": "Something else"}) == ["Something ", "else"]
    assert whole_text(name, echo={"reply": ""}) == ""
    assert texts(name, echo={"reply": ""}) == []


@pytest.mark.parametrize("name", [*TALKS, "completions"])
@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (1, ["Hello big world"]),
        (2, ["Hello ", "big world"]),
        (3, ["Hello ", "big ", "world"]),
        (5, ["Hello ", "big ", "world ", "Hello ", "big "]),
    ],
)
def test_chunks(name: str, chunks: int, expected: list[str]) -> None:
    assert texts(name, model=f"echo/chunks={chunks}") == expected
    if name != "completions":
        assert whole_text(name, model=f"echo/chunks={chunks}") == "".join(expected)


@pytest.mark.parametrize("name", BODIES)
def test_error(name: str) -> None:
    got = ask(name, model="echo/error=429,retry_after=1.5", stream=True)
    assert (got.status, got.headers["retry-after"]) == (429, "1.5")
    assert got.json["error"]["type"] == "rate_limit_error"
    assert "429" in got.json["error"]["message"]


def test_error_of_a_form() -> None:
    got = upload(form({"echo[error]": "503", "echo[retry_after]": "2"}))
    assert (got.status, got.headers["retry-after"]) == (503, "2")
    assert got.json["error"]["type"] == "server_error"


def test_error_with_the_codes_of_openai() -> None:
    codes = {
        status: ask("embeddings", model=f"echo/error={status}").json["error"]["code"] for status in (400, 401, 404)
    }
    assert codes == {400: None, 401: "invalid_api_key", 404: "model_not_found"}


@pytest.mark.parametrize("name", [*TALKS, "completions"])
def test_error_after(name: str) -> None:
    got = ask(name, model="echo/error_after=2,error=529", stream=True)
    assert got.status == 200
    assert texts(name, model="echo/error_after=2,error=529") == ["Hello ", "big "]
    last = got.data[-1]
    assert "529" in msgspec.json.encode(last).decode()
    assert ("error" in last) == (name != "responses")
    if name == "responses":
        assert (last["type"], last["sequence_number"]) == ("error", len(got.data) - 1)
    if name == "messages":
        assert (got.events[-1].name, last["error"]["type"]) == ("error", "overloaded_error")
    assert b"[DONE]" not in got.body


def test_error_after_the_last_chunk_still_comes_and_later_does_not() -> None:
    assert "error" in ask("chat_completions", model="echo/error_after=3", stream=True).data[-1]
    assert ask("chat_completions", model="echo/error_after=4", stream=True).body.endswith(b"[DONE]\n\n")


def test_error_after_a_partial_picture_and_a_piece_of_a_transcript() -> None:
    pictures = ask("images_generations", model="echo/error_after=1", stream=True, partial_images=3).data
    assert [event.get("type") for event in pictures] == ["image_generation.partial_image", None]
    transcript = upload(form({}), "echo/error_after=1", stream=True).data
    assert [event.get("type") for event in transcript] == ["transcript.text.delta", None]


@pytest.mark.parametrize("name", OPENAI)
def test_usage_false(name: str) -> None:
    assert b'"usage":{' not in ask(name, model="echo/usage=false").body
    streamed = ask(name, model="echo/usage=false", stream=True, stream_options={"include_usage": True})
    assert b'"usage":{' not in streamed.body


def test_usage_false_of_messages_and_forms() -> None:
    assert b'"usage"' not in ask("messages", model="echo/usage=false").body
    assert b'"usage"' not in ask("messages", model="echo/usage=false", stream=True).body
    assert b'"usage"' not in upload(form({}), "echo/usage=false").body
    assert b'"usage"' not in upload(form({}), "echo/usage=false", stream=True).body


def test_token_counts() -> None:
    def counts(name: str, knobs: str) -> Any:
        return ask(name, model=f"echo/{knobs}").json["usage"]

    every = "prompt_tokens=100,completion_tokens=50,cached_tokens=30,cache_write_tokens=20,reasoning_tokens=10"
    assert counts("chat_completions", every) == {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 10},
    }
    assert counts("responses", every) == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 10},
        "total_tokens": 150,
    }
    message = counts("messages", every)
    assert (message["input_tokens"], message["output_tokens"]) == (50, 50)
    assert (message["cache_read_input_tokens"], message["cache_creation_input_tokens"]) == (30, 20)
    assert message["output_tokens_details"] == {"thinking_tokens": 10}
    assert counts("embeddings", "prompt_tokens=9") == {"prompt_tokens": 9, "total_tokens": 9}
    assert counts("images_generations", "prompt_tokens=9,completion_tokens=8")["total_tokens"] == 17
    assert ask("messages_count_tokens", model="echo/prompt_tokens=9").json == {"input_tokens": 9}
    assert upload(form({}), "echo/prompt_tokens=9,completion_tokens=8").json["usage"]["total_tokens"] == 17


def test_finish_reason() -> None:
    chat = ask("chat_completions", model="echo/finish_reason=length")
    assert chat.json["choices"][0]["finish_reason"] == "length"
    streamed = ask("chat_completions", model="echo/finish_reason=length", stream=True)
    assert streamed.data[-1]["choices"][0]["finish_reason"] == "length"
    assert ask("completions", model="echo/finish_reason=length").json["choices"][0]["finish_reason"] == "length"
    assert ask("messages", model="echo/finish_reason=refusal").json["stop_reason"] == "refusal"
    message = ask("messages", model="echo/finish_reason=max_tokens", stream=True).data
    assert message[-2]["delta"]["stop_reason"] == "max_tokens"


def test_finish_reason_of_a_response() -> None:
    short = ask("responses", model="echo/finish_reason=length").json
    assert (short["status"], short["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    streamed = ask("responses", model="echo/finish_reason=content_filter", stream=True)
    assert streamed.events[-1].name == "response.incomplete"
    assert streamed.data[0]["response"]["incomplete_details"] is None
    assert ask("responses", model="echo/finish_reason=stop").json["status"] == "completed"
    assert ask("responses", model="echo/finish_reason=odd").json["error"]["param"] == "echo.finish_reason"


# ---- what the gateway makes of the streams ----


@pytest.mark.parametrize("name", STREAMS)
def test_the_gateway_sees_the_end_of_a_stream(name: str) -> None:
    body = ask(name, stream=True).body
    shape = BY_NAME[name].shape
    assert ends(shape, body)
    assert not ends(shape, ask(name, model="echo/error_after=0", stream=True).body)


@pytest.mark.parametrize("name", TALKS)
def test_an_error_before_any_chunk_comes_before_any_content(name: str) -> None:
    shape = BY_NAME[name].shape
    *before, last = ask(name, model="echo/error_after=0,error=429", stream=True).events
    assert before
    assert not any(bears_content(shape, event, "echo") for event in before)
    with pytest.raises(RateLimited):
        bears_content(shape, last, "echo")


@pytest.mark.parametrize("name", TALKS)
def test_the_first_chunk_is_content(name: str) -> None:
    shape = BY_NAME[name].shape
    assert any(bears_content(shape, event, "echo") for event in ask(name, stream=True).events)


def test_a_form_ends_too() -> None:
    body = upload(form({}), stream=True).body
    assert ends(BY_NAME["audio_transcriptions"].shape, body) or nearly_ends(body)
