"""Vendors' errors in the shapes that are found in the wild."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import RateLimited, VendorError, VendorOverloaded
from lib.wire.vendor_errors import LONGEST, VendorMessage, is_too_long, read_error, stream_error
from tests.lib.wire.junk import JSON


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {
                "error": {
                    "message": "The model `x` does not exist",
                    "type": "invalid_request_error",
                    "param": "model",
                    "code": "model_not_found",
                }
            },
            ("invalid_request_error", "model_not_found", "The model `x` does not exist", "model"),
        ),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
            ("overloaded_error", None, "Overloaded", None),
        ),
        ({"error": {"code": 429, "message": "Slow", "metadata": {}}}, (None, "429", "Slow", None)),
        (
            [{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT"}}],
            ("INVALID_ARGUMENT", "400", "Bad", None),
        ),
        ({"error": {"code": "DeploymentNotFound", "message": "No"}}, (None, "DeploymentNotFound", "No", None)),
        ({"error": "no model loaded"}, (None, None, "no model loaded", None)),
        ({"error": "not_found", "message": "No such model"}, ("not_found", None, "No such model", None)),
        ({"detail": "Not Found"}, (None, None, "Not Found", None)),
        (
            {"detail": [{"loc": ["body", "messages", 0], "msg": "field required", "type": "missing"}]},
            ("missing", None, "field required", "messages.0"),
        ),
        ({"detail": {"message": "Busy", "code": "busy"}}, (None, "busy", "Busy", None)),
        ({"detail": 5}, (None, None, "", None)),
        ({"message": "Too many tokens"}, (None, None, "Too many tokens", None)),
        ({"Message": "Denied"}, (None, None, "Denied", None)),
        (
            {"object": "error", "message": "Too long", "type": "BadRequestError", "param": None, "code": 400},
            ("BadRequestError", "400", "Too long", None),
        ),
        (
            {"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "no", "type": "extra"}]}},
            ("extra", None, "no", "n"),
        ),
        ({"type": "error", "code": "server_error", "message": "Oops", "param": None, "sequence_number": 3},
         ("error", "server_error", "Oops", None)),
        ("Just words", (None, None, "Just words", None)),
        ({}, (None, None, "", None)),
        (None, (None, None, "", None)),
        ([], (None, None, "", None)),
    ],
)  # fmt: skip
def test_known_shapes(body: Any, expected: tuple[Any, ...]) -> None:
    assert read_error(msgspec.json.encode(body)) == VendorMessage(*expected)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"upstream connect error", "upstream connect error"),
        (b"  spaces \n", "spaces"),
        (b"<html><h1>502 Bad Gateway</h1></html>", ""),
        (b"", ""),
        (b"\xff\xfe{", "\ufffd\ufffd{"),
        (b"[" * 100_000, "[" * LONGEST),
    ],
)
def test_bytes_that_are_no_json(body: bytes, message: str) -> None:
    assert read_error(body) == VendorMessage(None, None, message, None)


@pytest.mark.parametrize("shape", ['{"error":{"message":"%s"}}', '{"error":"%s"}', '{"detail":"%s"}', "%s"])
def test_long_messages_are_cut(shape: str) -> None:
    assert len(read_error((shape % ("x" * 9_000)).encode()).message) == LONGEST


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, VendorOverloaded),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "Slow"}}, RateLimited),
        ({"error": {"code": 429, "message": "Slow"}}, RateLimited),
        ({"error": {"code": 503, "message": "Busy"}}, VendorOverloaded),
        ({"error": {"code": "slow_down", "message": "Busy"}}, VendorOverloaded),
        ({"type": "error", "error": {"type": "api_error", "message": "Internal"}}, VendorError),
        ({"error": {"message": "Internal", "type": "server_error"}}, VendorError),
        ({"error": "words: overloaded"}, VendorError),
    ],
)
def test_stream_errors_keep_the_vendors_words_for_the_log(body: Any, kind: type[Exception]) -> None:
    error = stream_error(msgspec.json.encode(body))
    assert type(error) is kind
    words = read_error(msgspec.json.encode(body)).message
    assert error.detail
    assert words in error.detail
    assert words not in error.message


@given(JSON.map(msgspec.json.encode) | st.binary(max_size=30))
def test_any_bytes_give_an_answer(body: bytes) -> None:
    said = read_error(body)
    assert isinstance(said.message, str)
    assert len(said.message) <= LONGEST


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",  # OpenAI
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "prompt is too long: 210000 tokens > 200000 maximum",  # Anthropic
        "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease one of them",
        "The model returned the following errors: Input is too long for requested model.",  # Bedrock
        "Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        "The input token count (1300000) exceeds the maximum number of tokens allowed (1048575).",  # Gemini
        "Unable to submit request because the input token count is 32770 but model only supports up to 32768.",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "Please reduce the length of the messages or completion.",  # Groq
        "Please reduce the length of the messages or completion. Current length is 42328 while limit is 40000",
        "max_tokens is too large: 8192. This model's maximum context length is 65536 tokens and your request has 57879",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",  # SGLang
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 6204 `inputs` tokens",
        "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000",
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",  # xAI
        "the request exceeds the available context size (4096 tokens), try increasing it",  # llama.cpp
        "prompt too long; exceeded max context length by 4096 tokens",  # Ollama
        "Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)",  # Moonshot
        "Range of input length should be [1, 129024]",  # Qwen
        "invalid params, context window exceeds limit (2013)",  # MiniMax
        "This endpoint's maximum context length is 1048576 tokens. However, you requested about 1293741 tokens",
    ],
)
def test_a_prompt_that_does_not_fit(words: str) -> None:
    assert is_too_long(words)
    assert is_too_long(f'{{"object":"error","message":"{words.upper()}"}}')


@pytest.mark.parametrize(
    "words",
    [
        "Invalid 'metadata.team': string too long. Expected a string with maximum length 512, but got 600 instead.",
        "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64.",
        "Invalid 'messages': array too long. Expected an array with maximum length 2048, but got 3000 instead.",
        "Invalid 'stop': array too long.",
        "'user' is too long",
        "tools.0.custom.name: String should have at most 128 characters",
        "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes",
        "messages.1.content.0.image.source.base64.data: At least one of the image dimensions exceed max allowed size",
        "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for this model",
        "max_tokens is too large: 5000000. This model supports at most 128000 completion tokens.",
        "max_completion_tokens must be at most 40960, the maximum value is less than the context_window for this model",
        "The audio file is too long. Maximum duration is 1500 seconds.",
        "Audio duration 1500.4 seconds is longer than 1400 seconds which is the maximum for this model",
        "The request URI is too long.",
        "Request payload size exceeds the limit: 20971520 bytes.",
        "The toolUseId is too long; at most 64 characters.",
        "Invalid value for `context_length`: must be a whole number.",
        "The context window of a session cannot be set here.",
        "You exceeded your current quota, please check your plan and billing details.",
        "",
    ],
)
def test_what_is_too_long_for_another_reason(words: str) -> None:
    assert not is_too_long(words)
