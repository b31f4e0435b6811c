"""Failures become the SDKs' own exception classes, with statuses, codes and words that blame the right party."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import anthropic
import openai
import pytest

from tests.sdk.conftest import Seen
from tests.upstream import Upstream

HELLO: Any = [{"role": "user", "content": "Grüezi"}]

# What the vendor answers, and what the caller gets: the status, and the name of the exception in both SDKs.
VENDOR_SAYS = [
    ("error-400", 400, "BadRequestError"),
    ("error-404", 404, "NotFoundError"),
    ("error-409", 409, "ConflictError"),
    ("error-422", 422, "UnprocessableEntityError"),
    ("error-429", 429, "RateLimitError"),
    ("error-401", 502, "InternalServerError"),  # it is the gateway's key that was refused, not the caller's
    ("error-402", 502, "InternalServerError"),
    ("error-403", 502, "InternalServerError"),
    ("quota", 502, "InternalServerError"),
    ("error-500", 502, "InternalServerError"),
    ("error-503", 503, "InternalServerError"),
    ("error-504", 504, "InternalServerError"),
    ("error-529", 503, "InternalServerError"),
    ("close", 502, "InternalServerError"),
    ("junk-status", 502, "InternalServerError"),
    ("not-json", 502, "InternalServerError"),
    ("html", 502, "InternalServerError"),
    ("false-ok", 503, "InternalServerError"),
]


@dataclass(frozen=True)
class Speaker:
    """One SDK: its module, the provider that it reaches in its own dialect, and how it asks."""

    sdk: Any
    provider: str
    ask: Callable[..., Any]

    def failure(self, model: str, **more: Any) -> Any:
        """The exception that asking raises."""
        with pytest.raises(self.sdk.APIStatusError) as caught:
            self.ask(model=model, messages=HELLO, **more)
        return caught.value


@pytest.fixture(params=["openai", "anthropic"])
def speaker(request: pytest.FixtureRequest, oai: openai.OpenAI, ant: anthropic.Anthropic) -> Speaker:
    if request.param == "openai":
        return Speaker(openai, "openai", oai.chat.completions.create)
    return Speaker(anthropic, "anthropic", partial(ant.messages.create, max_tokens=9))


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("behaviour", "status", "name"), VENDOR_SAYS, ids=[row[0] for row in VENDOR_SAYS])
def test_what_the_vendor_says(
    speaker: Speaker, seen: Seen, behaviour: str, status: int, name: str, streamed: bool
) -> None:
    error = speaker.failure(f"{speaker.provider}/{behaviour}", stream=streamed)
    assert error.status_code == status
    assert isinstance(error, getattr(speaker.sdk, name))
    assert error.response.headers["content-type"] == "application/json"


def test_a_refused_key_is_not_blamed_on_the_caller(speaker: Speaker, seen: Seen) -> None:
    error = speaker.failure(f"{speaker.provider}/leak-401")
    assert error.status_code == 502
    assert "vendor-" not in str(error) + str(error.body) + str(error.response.headers)
    assert "the gateway's credentials" in str(error)


def test_the_vendors_own_words_for_a_bad_request(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("error-400")
    with pytest.raises(openai.BadRequestError) as caught:
        oai.chat.completions.create(model="gpt-4o", messages=HELLO, temperature=9)
    assert (caught.value.code, caught.value.type) == ("invalid_value", "invalid_request_error")
    assert caught.value.body == {
        "message": "Invalid value for 'temperature'.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_value",
    }


def test_the_vendors_own_words_in_anthropics_dialect(ant: anthropic.Anthropic, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("error-400")
    with pytest.raises(anthropic.BadRequestError) as caught:
        ant.messages.create(model="claude-sonnet-4-6", messages=HELLO, max_tokens=9)
    assert (caught.value.type, caught.value.api_message) == (
        "invalid_request_error",
        "Invalid value for 'temperature'.",
    )


def test_a_rate_limit_says_how_long(speaker: Speaker, seen: Seen) -> None:
    model = f"{speaker.provider}/retry-after-7"
    error = speaker.failure(model)
    assert (error.status_code, error.response.headers["retry-after"]) == (429, "7")
    resting = speaker.failure(model)
    assert (resting.status_code, int(resting.response.headers["retry-after"])) in ((503, 7), (503, 6))
    assert len(seen.calls) == 1


def test_a_model_that_nobody_has(speaker: Speaker, seen: Seen) -> None:
    error = speaker.failure("nobodys-model")
    assert isinstance(error, speaker.sdk.NotFoundError)
    assert "nobodys" not in str(error)
    assert seen.calls == []


def test_codes_and_params_of_openais_dialect(oai: openai.OpenAI, seen: Seen) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        oai.chat.completions.create(model="nobodys-model", messages=HELLO)
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as wrong:
        oai.chat.completions.create(model="gpt-4o", messages="Grüezi")  # type: ignore[arg-type]
    assert (wrong.value.param, wrong.value.type) == ("messages", "invalid_request_error")
    with pytest.raises(openai.BadRequestError) as unserved:
        oai.embeddings.create(model="anthropic/claude-sonnet-4-6", input="Grüezi")
    assert unserved.value.code == "unsupported_path"
    assert seen.calls == []


@pytest.mark.parametrize(("model", "status"), [("dead/any", 502), ("slow/silent", 504), ("slow/slow-body-9", 504)])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_vendor_that_cannot_be_reached_or_is_silent(
    oai: openai.OpenAI, ant: anthropic.Anthropic, seen: Seen, model: str, status: int, streamed: bool
) -> None:
    with pytest.raises(openai.InternalServerError) as first:
        oai.chat.completions.create(model=model, messages=HELLO, stream=streamed)
    with pytest.raises(anthropic.InternalServerError) as second:
        ant.messages.create(model=model, messages=HELLO, max_tokens=9, stream=streamed)
    assert (first.value.status_code, second.value.status_code) == (status, status)


def test_an_error_in_the_middle_of_a_stream(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("error-after-2-503")
    got = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in oai.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True):
            got.append(chunk.choices[0].delta.content)
    assert got == ["", "Zwölf ", "gulls "]
    assert not isinstance(caught.value, openai.APIConnectionError)
    assert (caught.value.type, caught.value.code) == ("server_error", "upstream_overloaded")


def test_an_error_in_the_middle_of_a_message(ant: anthropic.Anthropic, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("error-after-2-529")
    got = []
    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        ant.messages.stream(model="claude-sonnet-4-6", messages=HELLO, max_tokens=9) as stream,
    ):
        for text in stream.text_stream:
            got.append(text)
    assert got == ["Zwölf ", "gulls "]
    assert caught.value.type == "overloaded_error"


def test_an_error_in_the_middle_of_a_response(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("error-after-2-503")
    events = list(oai.responses.create(model="gpt-4o", input="Grüezi", stream=True))
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == ["Zwölf ", "gulls "]
    assert events[-1].type == "error"
    assert events[-1].code == "upstream_overloaded"


@pytest.mark.parametrize("behaviour", ["cut-body", "close-body", "close-chunk", "junk-chunk", "close-half"])
def test_a_stream_that_breaks_ends_in_an_error_event(
    oai: openai.OpenAI, ant: anthropic.Anthropic, seen: Seen, vendor: Upstream, behaviour: str
) -> None:
    vendor.plan(behaviour, behaviour)
    with pytest.raises(openai.APIError) as first:
        list(oai.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    with pytest.raises(anthropic.APIStatusError) as second:
        list(ant.messages.create(model="claude-sonnet-4-6", messages=HELLO, max_tokens=9, stream=True))
    assert not isinstance(first.value, openai.APIConnectionError)
    assert (first.value.type, second.value.type) == ("server_error", "api_error")


def test_sound_that_breaks_off_is_a_broken_connection(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("cut-body")
    with pytest.raises(openai.APIConnectionError):
        oai.audio.speech.create(model="openai/tts-1", input="Hoi", voice="alloy")


def test_the_sdks_own_retries(oai: openai.OpenAI, seen: Seen, vendor: Upstream) -> None:
    vendor.plan("error-503", "ok")
    answer = oai.with_options(max_retries=1).chat.completions.create(model="gpt-4o", messages=HELLO)
    assert answer.choices[0].finish_reason == "stop"
    assert [call.header("x-stainless-retry-count") for call in seen.calls] == ["0", "1"]
