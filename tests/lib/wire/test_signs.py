"""What the gateway must see in a stream it hands on unread: the first content, an error inside a 200, the end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import (
    AIProxyError,
    RateLimited,
    VendorError,
    VendorOverloaded,
    VendorProtocolError,
    VendorRefused,
)
from lib.wire import (
    Event,
    Shape,
    bears_content,
    ends,
    error_in_body,
    events,
    has_usage,
    nearly_ends,
    until_error,
    without_usage,
)

CHAT, COMPLETION, MESSAGE, RESPONSE = Shape.CHAT, Shape.COMPLETION, Shape.MESSAGE, Shape.RESPONSE


def event(data: Any, name: str = "") -> Event:
    """One event, as a vendor would send it."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    head = f"event: {name}\n".encode() if name else b""
    return next(iter(events(head + b"data: " + raw + b"\n\n")))


def chunk(**delta: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def lines(*datas: Any, ending: bytes = b"\n") -> bytes:
    """Events without names, one after the other."""
    raws = [data if isinstance(data, bytes) else json.dumps(data).encode() for data in datas]
    return b"".join(b"data: " + raw + ending * 2 for raw in raws)


# ---- the first content ----

EMPTY = [
    (CHAT, chunk(role="assistant")),
    (CHAT, chunk(role="assistant", content="")),
    (CHAT, chunk(role="assistant", content=None, refusal=None)),
    (CHAT, {"choices": []}),
    (CHAT, {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
    (CHAT, {"choices": [], "usage": {"prompt_tokens": 3}}),
    (CHAT, {"choices": None}),
    (CHAT, {"choices": ["junk", {"delta": "junk"}]}),
    (CHAT, {}),
    (COMPLETION, {"choices": [{"text": "", "finish_reason": None}]}),
    (MESSAGE, {"type": "message_start", "message": {"content": []}}),
    (MESSAGE, {"type": "ping"}),
    (RESPONSE, {"type": "response.created"}),
    (RESPONSE, {"type": "response.queued"}),
    (RESPONSE, {"type": "response.in_progress"}),
]
TELLING = [
    (CHAT, chunk(content="Hi")),
    (CHAT, chunk(content=" ")),
    (CHAT, chunk(reasoning_content="Hm")),
    (CHAT, chunk(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": ""}}])),
    (CHAT, chunk(refusal="No")),
    (CHAT, chunk(audio={"id": "a"})),
    (CHAT, {"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    (CHAT, {"choices": [{"delta": {}}, {"index": 1, "delta": {"content": "second"}}]}),
    (CHAT, b"[DONE]"),
    (COMPLETION, {"choices": [{"text": "Hi"}]}),
    (COMPLETION, {"choices": [{"text": "", "finish_reason": "length"}]}),
    (MESSAGE, {"type": "content_block_start", "index": 0}),
    (MESSAGE, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
    (MESSAGE, {"type": "message_stop"}),
    (RESPONSE, {"type": "response.output_item.added"}),
    (RESPONSE, {"type": "response.completed"}),
    (Shape.IMAGE, {"type": "image_generation.partial_image"}),
    (Shape.TRANSCRIPTION, {"type": "transcript.text.delta", "delta": "Hi"}),
]


@pytest.mark.parametrize(("shape", "data"), EMPTY)
def test_says_nothing_of_the_answer(shape, data):
    assert not bears_content(shape, event(data), "acme")


@pytest.mark.parametrize(("shape", "data"), TELLING)
def test_shows_something_of_the_answer(shape, data):
    assert bears_content(shape, event(data), "acme")


def test_the_name_of_an_event_counts_when_its_data_has_no_type():
    assert not bears_content(MESSAGE, event({}, "ping"), "acme")
    assert bears_content(MESSAGE, event({}, "content_block_delta"), "acme")


@pytest.mark.parametrize("data", [b"junk", b"[]", b"1", b'"text"', b"null", b"{", b"<html>", b"[" * 100_000])
def test_what_is_no_object_is_no_event_of_the_protocol(data):
    with pytest.raises(VendorProtocolError) as caught:
        bears_content(CHAT, event(data), "acme")
    assert caught.value.provider == "acme"


# ---- errors ----

REPORTED = [
    ({"error": {"message": "boom", "type": "server_error"}}, VendorError),
    ({"error": {"message": "boom", "type": "overloaded_error"}}, VendorOverloaded),
    ({"error": {"message": "boom", "code": "service_unavailable"}}, VendorOverloaded),
    ({"error": {"message": "boom", "code": 429}}, RateLimited),
    ({"error": {"message": "boom", "type": "rate_limit_error"}}, RateLimited),
    ({"error": {"message": "boom", "type": "invalid_request_error", "param": "n", "code": "bad"}}, VendorRefused),
    ({"error": "boom"}, VendorError),
    ({"error": {"message": "the invalid_request was overloaded by a rate_limit"}}, VendorError),
]


@pytest.mark.parametrize(("data", "kind"), REPORTED)
@pytest.mark.parametrize("shape", [CHAT, COMPLETION])
def test_an_error_in_place_of_content_is_raised(shape, data, kind):
    with pytest.raises(kind) as caught:
        bears_content(shape, event(data), "acme")
    assert type(caught.value) is kind
    assert caught.value.provider == "acme"


@pytest.mark.parametrize(("data", "kind"), REPORTED)
def test_anthropic_says_that_it_is_an_error(data, kind):
    with pytest.raises(kind):
        bears_content(MESSAGE, event({"type": "error", **data}, "error"), "acme")


@pytest.mark.parametrize(
    "data",
    [
        {"type": "error", "code": "server_error", "message": "boom"},
        {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "boom"}}},
    ],
)
def test_a_response_that_fails_before_it_began_is_raised(data):
    with pytest.raises(VendorError):
        bears_content(RESPONSE, event(data), "acme")


def test_what_the_vendor_refused_keeps_its_words_and_a_failure_of_its_own_does_not():
    refused = error_in_body(CHAT, b'{"error": {"type": "invalid_request_error", "message": "n too large"}}', "acme")
    failed = error_in_body(CHAT, b'{"error": {"type": "server_error", "message": "rack 7 burns"}}', "acme")
    assert isinstance(refused, VendorRefused)
    assert (refused.message, refused.status) == ("n too large", 400)
    assert isinstance(failed, VendorError)
    assert (failed.message, failed.detail) == (VendorError.message, "server_error: rack 7 burns")


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (CHAT, {"choices": [], "error": None}),
        (CHAT, {"choices": [{"message": {"content": "error"}}]}),
        (CHAT, {}),
        (MESSAGE, {"type": "message", "content": []}),
        (RESPONSE, {"status": "failed", "error": {"code": "server_error", "message": "boom"}}),
        (Shape.EMBEDDING, {"data": []}),
        (Shape.SPEECH, b"\xff\xfb\x90"),
        (Shape.TRANSCRIPTION, b"plain words"),
        (Shape.TRANSCRIPTION, b""),
    ],
)
def test_a_body_without_an_error_has_none(shape, body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert error_in_body(shape, raw, "acme") is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"choices": [', b"[" * 100_000, b"\xff"])
@pytest.mark.parametrize("shape", [CHAT, MESSAGE, RESPONSE, Shape.EMBEDDING, Shape.MODERATION])
def test_a_body_that_is_no_object_is_no_answer(shape, body):
    assert isinstance(error_in_body(shape, body, "acme"), VendorProtocolError)


kinds = st.sampled_from(["error", "message", "response.failed", "ping", "x"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | kinds,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "choices", "delta", "message", "code", "usage"]), inner)
    ),
    max_leaves=8,
)
bodies = anything | st.tuples(kinds, st.dictionaries(st.sampled_from(["error", "choices", "delta"]), anything)).map(
    lambda pair: {"type": pair[0], **pair[1]}
)


def check_whatever_comes(shape: Shape, body: bytes) -> None:
    """A body or an event is content, or one of our own errors."""
    found = error_in_body(shape, body, "acme")
    for each in events(b"data: " + body.replace(b"\n", b"").replace(b"\r", b"") + b"\n\n"):
        try:
            assert bears_content(shape, each, "acme") in (True, False)
        except AIProxyError as error:
            found = error
    assert found is None or found.provider == "acme"


@given(st.sampled_from(Shape), st.binary(max_size=80) | bodies.map(lambda value: json.dumps(value).encode()))
def test_nothing_a_vendor_sends_upsets_the_reader(shape, body):
    check_whatever_comes(shape, body)


@pytest.mark.parametrize("kind", [["ping"], {"a": 1}])
def test_a_type_may_be_anything(kind):
    check_whatever_comes(MESSAGE, json.dumps({"type": kind}).encode())


BOOM = {"error": {"message": "boom", "type": "server_error"}}


def test_a_block_is_cut_before_the_event_that_reports_an_error():
    before = lines(chunk(content="error"), chunk(content="more"))
    kept, error = until_error(CHAT, before + lines(BOOM, b"[DONE]"), "acme")
    assert kept == before
    assert isinstance(error, VendorError)


def test_a_block_that_only_speaks_of_errors_is_whole():
    block = lines(chunk(content='{"error": {}}'), {"choices": [], "error": None}, b"[DONE]")
    assert until_error(CHAT, block, "acme") == (block, None)


def test_a_response_that_fails_on_the_way_tells_its_caller_itself():
    block = b'event: response.failed\ndata: {"type":"response.failed","response":{"error":{"code":"x"}}}\n\n'
    assert until_error(RESPONSE, block, "acme") == (block, None)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending_separates_events(ending):
    before = lines(chunk(content="a"), ending=ending)
    kept, error = until_error(CHAT, before + lines(BOOM, ending=ending), "acme")
    assert kept == before
    assert error is not None


# ---- usage that the caller did not ask for ----

USAGE = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_the_event_with_usage_alone_is_taken_out(ending):
    first, last = lines(chunk(content="a"), ending=ending), lines(b"[DONE]", ending=ending)
    assert without_usage(first + lines(USAGE, ending=ending) + last) == first + last


@pytest.mark.parametrize(
    "data",
    [
        {"choices": [{"delta": {"content": "a"}}], "usage": {"prompt_tokens": 3}},
        {"choices": [], "usage": None},
        {"choices": []},
        {"usage": {"prompt_tokens": 3}},
        chunk(content='"usage"'),
        b"[DONE]",
        b"junk",
    ],
)
def test_other_events_stay(data):
    block = lines(chunk(content="a"), data)
    assert without_usage(block) == block


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b'"usage":null', False), (b'"usage": 1', False), (b'"text":"usage"', False), (b"usage: {", False),
        (b'"usage":{"prompt_tokens":3}', True), (b'"usage" : \t{}', True),
    ],
)  # fmt: skip
def test_only_an_object_is_usage(said, expected):
    assert has_usage(b'data: {"choices":[],' + said + b"}\n\n") is expected


def test_a_block_without_usage_is_not_taken_apart():
    block = b'data: {"choices":[],"usage":null}\n\n' * 3
    assert without_usage(block) is block


def test_comments_stay():
    block = b": ping\n\n" + lines(chunk(content="a")) + b": OPENROUTER PROCESSING\n\n"
    assert without_usage(block + lines(USAGE)) == block


@given(
    st.lists(st.sampled_from([USAGE, chunk(content="a"), b"[DONE]"]), max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_what_stays_is_as_it_was(datas, ending):
    kept = [data for data in datas if data is not USAGE]
    assert without_usage(lines(*datas, ending=ending)) == lines(*kept, ending=ending)


@pytest.mark.parametrize("between", [b"\n\r\n", b"\r\n\r"])
def test_line_endings_may_be_mixed(between):
    block = b"data: " + json.dumps(chunk(content="a")).encode() + between
    assert without_usage(block + lines(USAGE)) == block


# ---- the end ----


@pytest.mark.parametrize(
    ("shape", "block"),
    [
        (CHAT, b"data: [DONE]\n\n"),
        (CHAT, b"data:[DONE]\n\n"),
        (CHAT, b'data: {"choices":[]}\r\n\r\ndata: [DONE]\r\n\r\n'),
        (COMPLETION, b"data: [DONE]\n\n"),
        (MESSAGE, b'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
        (MESSAGE, b'event:message_stop\ndata:{"type":"message_stop"}\n\n'),
        (RESPONSE, b"event: response.completed\ndata: {}\n\n"),
        (RESPONSE, b"event: response.incomplete\ndata: {}\n\n"),
        (RESPONSE, b"event: response.failed\ndata: {}\n\n"),
        (Shape.IMAGE, b"event: image_generation.completed\ndata: {}\n\n"),
        (Shape.SPEECH, b"event: speech.audio.done\ndata: {}\n\n"),
        (Shape.TRANSCRIPTION, b"event: transcript.text.done\ndata: {}\n\n"),
    ],
)
def test_the_last_event_of_a_dialect_is_known(shape, block):
    assert ends(shape, block)


@pytest.mark.parametrize(
    ("shape", "block"),
    [
        (CHAT, b""),
        (CHAT, b'data: {"choices":[{"delta":{"content":"data: [DONE]"}}]}\n\n'),
        (CHAT, b"event: message_stop\n\n"),
        (MESSAGE, b"data: [DONE]\n\n"),
        (MESSAGE, b'event: content_block_delta\ndata: {"text":"event: message_stop"}\n\n'),
        (RESPONSE, b"event: response.created\ndata: {}\n\n"),
    ],
)
def test_what_only_looks_like_the_end_is_not(shape, block):
    assert not ends(shape, block)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n', True),
        (b'data: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n', True),
        (b'data: {"type":"transcript.text.done","text":"Hi"}\n\n', True),
        (b'data: {"type":"speech.audio.done"}\n\n', True),
        (b'data: {"type": "message_stop"}\n\n', True),
        (b'data: {"type":"response.completed","response":{}}\n\n', True),
        (b'data: {"type":"response.failed","response":{}}\n\n', True),
        (b'data: {"type":"image_generation.completed"}\n\n', True),
        (b'data: {"type":"response.output_text.delta","delta":"\\"type\\":\\"response.completed\\""}\n\n', False),
        (b'data: {"type":"response.created","response":{"status":"completed"}}\n\n', False),
        (b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n', False),
        (b'data: {"choices":[{"delta":{"content":"\\"finish_reason\\":\\"stop\\""}}]}\n\n', False),
        (b"", False),
    ],
)
def test_a_vendor_that_leaves_out_the_last_event_said_that_it_finished(block, expected):
    assert nearly_ends(block) is expected
