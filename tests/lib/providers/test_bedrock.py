"""Bedrock over real sockets: answers, bodies that do not fit, errors. Waiting is in test_bedrock_waiting.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from lib.base.errors import (
    AIProxyError,
    BadRequest,
    RateLimited,
    UnknownModel,
    Untranslatable,
    VendorError,
    VendorOverloaded,
    VendorProtocolError,
    VendorRefused,
    VendorRejectedUs,
    VendorTimeout,
    VendorUnreachable,
)
from lib.providers.base import Outgoing
from lib.providers.bedrock import BedrockProvider, model_id
from lib.providers.bedrock_answer import BedrockAnswer
from lib.wire import PATHS, Dialect, Shape
from tests.lib.providers.bedrock_calls import MODEL, PATIENCE, events_of, outgoing, rest_of, text_of
from tests.upstream.bedrock import BedrockUpstream, broken_off, refusal
from tests.upstream.bedrock_answers import error_event
from tests.upstream.event_stream import exception, unmodelled
from tests.upstream.recipe import CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, PROMPT_TOKENS, Recipe

pytestmark = pytest.mark.usefixtures("aws_environment")

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
TOOL = {"name": "get_tide", "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}}}


@pytest.fixture
def provider(bedrock: BedrockUpstream) -> BedrockProvider:
    return BedrockProvider(endpoint_url=bedrock.url)


def ask(provider: BedrockProvider, request: Outgoing) -> tuple[BedrockAnswer, bytes]:
    """The answer, closed, and all of its body."""
    answer = provider.send(request)
    try:
        assert answer.start(PATIENCE)
        return answer, rest_of(answer)
    finally:
        answer.close()


def whole(provider: BedrockProvider, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(ask(provider, outgoing(**fields))[1])
    return body


def fault(provider: BedrockProvider, request: Outgoing) -> AIProxyError:
    """The error that the call ends in."""
    with pytest.raises(AIProxyError) as raised:
        ask(provider, request)
    return raised.value


# ---- what is served ----


def test_serves_messages_chat_and_token_counts_in_anthropics_dialect() -> None:
    provider = BedrockProvider()
    served = {path.shape for path in PATHS if provider.dialect(path) is Dialect.ANTHROPIC}
    assert served == {Shape.MESSAGE, Shape.CHAT, Shape.TOKEN_COUNT}
    assert {provider.dialect(path) for path in PATHS if path.shape not in served} == {None}


# ---- answers ----


def test_a_whole_answer(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    answer, body = ask(provider, outgoing(system="Count.", temperature=0.5))
    assert answer.status == 200
    assert dict(answer.headers)["content-type"] == "application/json"
    message = msgspec.json.decode(body)
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", MODEL)
    assert message["content"] == [{"type": "text", "text": Recipe().text}]
    assert message["stop_reason"] == "end_turn"
    assert message["usage"]["input_tokens"] == PROMPT_TOKENS
    assert message["usage"]["output_tokens"] == Recipe().output_tokens
    [call] = bedrock.seen
    assert call.json["messages"] == [{"role": "user", "content": [{"text": "How many gulls?"}]}]
    assert call.json["system"] == [{"text": "Count."}]
    assert call.json["inferenceConfig"] == {"maxTokens": 99, "temperature": 0.5}


def test_a_streamed_answer(provider: BedrockProvider) -> None:
    answer, body = ask(provider, outgoing(stream=True))
    assert answer.status == 200
    assert dict(answer.headers)["content-type"] == "text/event-stream"
    events = events_of(body)
    assert events[0]["type"] == "message_start"
    assert events[0]["message"]["model"] == MODEL
    assert events[-1]["type"] == "message_stop"
    assert text_of(events) == Recipe().text
    [end] = [event for event in events if event["type"] == "message_delta"]
    assert end["delta"]["stop_reason"] == "end_turn"
    assert end["usage"]["output_tokens"] == Recipe().output_tokens


@BOTH
def test_the_vendors_request_id_is_in_the_head(provider: BedrockProvider, stream: bool) -> None:
    answer, _ = ask(provider, outgoing(stream=stream))
    assert dict(answer.headers)["x-amzn-requestid"] == f"5f2c1d3e-{1:024d}"


def test_usage_counts_what_was_cached(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    bedrock.plan("cached", "cached")
    expected = {
        "input_tokens": PROMPT_TOKENS,
        "output_tokens": Recipe(cached=True).output_tokens,
        "cache_read_input_tokens": CACHE_READ_TOKENS,
        "cache_creation_input_tokens": CACHE_WRITE_TOKENS,
    }
    usage = whole(provider)["usage"]
    assert {name: usage[name] for name in expected} == expected
    events = events_of(ask(provider, outgoing(stream=True))[1])
    [usage] = [event["usage"] for event in events if event["type"] == "message_delta"]
    assert {name: usage[name] for name in expected} == expected


def test_parallel_tool_calls(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    bedrock.plan("tools", "tools")
    message = whole(provider, tools=[TOOL])
    assert [block["name"] for block in message["content"]] == ["get_tide", "get_tide"]
    assert message["content"][0]["input"] == {"place": "Zürich", "unit": "celsius"}
    assert message["stop_reason"] == "tool_use"
    events = events_of(ask(provider, outgoing(stream=True, tools=[TOOL]))[1])
    fragments = ["", ""]
    for event in events:
        if event["type"] == "content_block_delta":
            fragments[event["index"]] += event["delta"]["partial_json"]
    assert [msgspec.json.decode(fragment) for fragment in fragments] == [block["input"] for block in message["content"]]


@BOTH
def test_an_answer_that_stopped_at_its_limit(bedrock: BedrockUpstream, provider: BedrockProvider, stream: bool) -> None:
    bedrock.plan("length")
    body = ask(provider, outgoing(stream=stream))[1]
    reasons = [event["delta"]["stop_reason"] for event in events_of(body) if event["type"] == "message_delta"]
    assert (reasons if stream else [msgspec.json.decode(body)["stop_reason"]]) == ["max_tokens"]


@pytest.mark.parametrize("behaviour", ["bytewise", "newer"])
def test_framing_and_unknown_events_do_not_matter(
    bedrock: BedrockUpstream, provider: BedrockProvider, behaviour: str
) -> None:
    bedrock.plan(behaviour)
    assert text_of(events_of(ask(provider, outgoing(stream=True))[1])) == Recipe().text


def test_a_stream_without_usage_ends_well(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    bedrock.plan("no-metadata")
    events = events_of(ask(provider, outgoing(stream=True))[1])
    assert events[-1]["type"] == "message_stop"


def test_counting_tokens(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    _, body = ask(provider, outgoing(Shape.TOKEN_COUNT, system="Count.", tools=[TOOL]))
    assert msgspec.json.decode(body) == {"input_tokens": PROMPT_TOKENS}
    [call] = bedrock.seen
    assert call.route.endswith("/count-tokens")
    assert set(call.json["input"]["converse"]) == {"messages", "system", "toolConfig"}


def test_calls_share_a_connection(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    for stream in (False, True, True, False):
        ask(provider, outgoing(stream=stream))
    assert {call.connection for call in bedrock.seen} == {1}


# ---- models ----

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5"


@pytest.mark.parametrize("name", [MODEL, "meta.llama3-70b-instruct-v1:0", PROFILE])
@pytest.mark.parametrize("prefix", ["", "bedrock/", "bedrock."])
def test_any_model_id_goes_through(bedrock: BedrockUpstream, provider: BedrockProvider, name: str, prefix: str) -> None:
    ask(provider, outgoing(model=prefix + name))
    assert bedrock.seen[0].path == f"/model/{quote(name, safe='')}/converse"


@pytest.mark.parametrize("name", ["", "bedrock/", "..", "../x", "a b", "a\r\nb", "a?b", "é", "a" * 3000])
def test_what_cannot_be_a_model_id_is_not_sent(bedrock: BedrockUpstream, provider: BedrockProvider, name: str) -> None:
    with pytest.raises(UnknownModel):
        model_id(name)
    with pytest.raises(UnknownModel):
        provider.send(outgoing(model=name))
    assert bedrock.calls == []


# ---- bodies that do not fit ----


def test_beta_features_reach_the_model(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    request = replace(outgoing(anthropic_beta=["a-1"]), headers=[("anthropic-beta", "b-2, a-1"), ("x-other", "1")])
    ask(provider, request)
    assert bedrock.seen[0].json["additionalModelRequestFields"] == {"anthropic_beta": ["a-1", "b-2"]}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"\xff", b'{"a":"\xff"}', b'{"a":' * 9999],
    ids=["nothing", "half", "list", "text", "no UTF-8", "text that is no UTF-8", "too deep"],
)
def test_a_body_that_cannot_be_read_is_refused(provider: BedrockProvider, body: bytes) -> None:
    path = next(path for path in PATHS if path.shape is Shape.MESSAGE)
    with pytest.raises(BadRequest):
        provider.send(Outgoing(path, MODEL, body))


def test_a_field_without_a_place_is_named_before_anything_is_sent(
    bedrock: BedrockUpstream, provider: BedrockProvider
) -> None:
    with pytest.raises(Untranslatable) as raised:
        provider.send(outgoing(mcp_servers=[{"type": "url", "url": "https://example.org", "name": "x"}]))
    assert raised.value.param is not None
    assert "mcp_servers" in raised.value.param
    assert bedrock.calls == []


def test_a_value_that_boto3_refuses_is_a_bad_request_without_the_value(
    bedrock: BedrockUpstream, provider: BedrockProvider
) -> None:
    error = fault(provider, outgoing(stop_sequences=[""]))
    assert isinstance(error, BadRequest)
    assert "`inferenceConfig.stopSequences[0]`" in error.message
    assert bedrock.calls == []


# ---- errors ----

BY_STATUS: list[tuple[int, type[AIProxyError], int]] = [
    (400, VendorRefused, 400),
    (403, VendorRejectedUs, 502),
    (404, VendorRefused, 404),
    (408, VendorTimeout, 504),
    (424, VendorError, 502),
    (429, RateLimited, 429),
    (500, VendorError, 502),
    (503, VendorOverloaded, 503),
]


@BOTH
@pytest.mark.parametrize(("status", "kind", "shown"), BY_STATUS)
def test_the_vendors_errors(
    bedrock: BedrockUpstream,
    provider: BedrockProvider,
    status: int,
    kind: type[AIProxyError],
    shown: int,
    stream: bool,
) -> None:
    bedrock.plan(f"error-{status}")
    error = fault(provider, outgoing(stream=stream))
    assert type(error) is kind
    assert error.status == shown
    assert error.provider == "bedrock"
    assert len(bedrock.seen) == 1, "attempts are the gateway's business"


def test_a_refusal_keeps_the_vendors_words(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    bedrock.plan(refusal("ValidationException", 400, "prompt is too long: 210000 tokens > 200000 maximum"))
    error = fault(provider, outgoing())
    assert (error.status, error.code) == (400, "context_length_exceeded")
    assert error.message == "prompt is too long: 210000 tokens > 200000 maximum"


def test_what_concerns_our_account_is_kept_from_the_caller(bedrock: BedrockUpstream, provider: BedrockProvider) -> None:
    words = "User: arn:aws:iam::123456789012:user/x is not authorized"
    bedrock.plan(refusal("AccessDeniedException", 403, words))
    error = fault(provider, outgoing())
    assert "123456789012" not in error.message
    assert words in (error.detail or "")


@BOTH
def test_retry_after_is_read(bedrock: BedrockUpstream, provider: BedrockProvider, stream: bool) -> None:
    bedrock.plan("retry-after-7.5")
    assert fault(provider, outgoing(stream=stream)).retry_after == 7.5


@BOTH
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [("html-503", VendorOverloaded), ("html-502", VendorError), ("empty", VendorProtocolError),
     ("not-json", VendorProtocolError), ("close", VendorUnreachable)],
)  # fmt: skip
def test_junk(
    bedrock: BedrockUpstream, provider: BedrockProvider, behaviour: str, kind: type[AIProxyError], stream: bool
) -> None:
    bedrock.plan(behaviour)
    assert type(fault(provider, outgoing(stream=stream))) is kind


@pytest.mark.parametrize("behaviour", ["cut-body", "close-body"])
def test_a_whole_answer_that_is_cut(bedrock: BedrockUpstream, provider: BedrockProvider, behaviour: str) -> None:
    bedrock.plan(behaviour)
    assert isinstance(fault(provider, outgoing()), VendorError)


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_an_exception_as_the_first_event_comes_out_of_start(
    bedrock: BedrockUpstream, provider: BedrockProvider, status: int
) -> None:
    bedrock.plan(f"error-first-{status}")
    answer = provider.send(outgoing(stream=True))
    with pytest.raises({row[0]: row[1] for row in BY_STATUS}[status]):
        answer.start(PATIENCE)
    answer.close()


LATER: list[tuple[bytes, type[AIProxyError]]] = [
    (error_event(503), VendorOverloaded),
    (error_event(500), VendorError),
    (error_event(429), RateLimited),
    (error_event(400), VendorRefused),
    (exception("modelStreamErrorException", "The model broke off."), VendorError),
    (exception("modelTimeoutException", "Too slow."), VendorError),
    (unmodelled("SomethingElse", "Who knows."), VendorError),
]


@pytest.mark.parametrize(("last", "kind"), LATER)
def test_a_later_exception_comes_out_of_read_after_the_text(
    bedrock: BedrockUpstream, provider: BedrockProvider, last: bytes, kind: type[AIProxyError]
) -> None:
    bedrock.plan(broken_off(last))
    assert_breaks(provider, kind)


@pytest.mark.parametrize("behaviour", ["cut-body", "close-body", "close-half", "junk-event"])
def test_a_stream_that_breaks(bedrock: BedrockUpstream, provider: BedrockProvider, behaviour: str) -> None:
    bedrock.plan(behaviour)
    assert_breaks(provider, VendorProtocolError)


def assert_breaks(provider: BedrockProvider, kind: type[AIProxyError]) -> None:
    """Two fragments arrive, then that error."""
    blocks: list[bytes] = []
    answer = provider.send(outgoing(stream=True))
    assert answer.start(PATIENCE)
    with pytest.raises(kind) as raised:
        blocks.extend(iter(lambda: answer.read(PATIENCE) or b"", b""))
    answer.close()
    assert type(raised.value) is kind
    assert text_of(events_of(b"".join(blocks))) == "".join(Recipe().fragments[:2])


def test_a_stream_that_ends_before_its_message_does_is_an_error(
    bedrock: BedrockUpstream, provider: BedrockProvider
) -> None:
    bedrock.plan("no-done")
    assert isinstance(fault(provider, outgoing(stream=True)), VendorProtocolError)


def test_nobody_listens(bedrock: BedrockUpstream) -> None:
    assert type(fault(BedrockProvider(endpoint_url=bedrock.refuse), outgoing())) is VendorUnreachable


def test_a_connection_that_is_never_established(bedrock: BedrockUpstream) -> None:
    impatient = replace(outgoing(), connect_timeout=0.2)
    assert type(fault(BedrockProvider(endpoint_url=bedrock.blackhole), impatient)) is VendorTimeout
