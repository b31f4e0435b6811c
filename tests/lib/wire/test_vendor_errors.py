"""Vendors' errors in the shapes that are found in the wild."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import RateLimited, VendorError, VendorOverloaded
from lib.wire.vendor_errors import LONGEST, VendorMessage, read_error, stream_error
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
