"""Error bodies and error events, as each family's SDK expects them."""

from __future__ import annotations

import msgspec
import pytest

from lib.wire.error_bodies import anthropic_error, anthropic_type, error_event, openai_error, openai_type
from lib.wire.paths import Dialect, Shape
from lib.wire.sse import complete, events


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (413, "request_too_large"),
        (415, "invalid_request_error"),
        (429, "rate_limit_error"),
        (499, "invalid_request_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_anthropic_types_by_status(status: int, expected: str) -> None:
    assert anthropic_type(status) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "invalid_request_error"),
        (401, "invalid_request_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_openai_types_by_status(status: int, expected: str) -> None:
    assert openai_type(status) == expected


def test_bodies() -> None:
    assert openai_error("No.", "invalid_request_error", "model_not_found", "model") == {
        "error": {"message": "No.", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
    }
    assert anthropic_error("No.", "not_found_error") == {
        "type": "error",
        "error": {"type": "not_found_error", "message": "No."},
    }
    assert anthropic_error("No.", "api_error", "req_1")["request_id"] == "req_1"


@pytest.mark.parametrize(
    ("dialect", "shape", "name", "body"),
    [
        (
            Dialect.OPENAI,
            Shape.CHAT,
            None,
            {"error": {"message": 'A "line"\nbreak', "type": "server_error", "param": None, "code": "upstream_error"}},
        ),
        (
            Dialect.OPENAI,
            Shape.RESPONSE,
            "error",
            {
                "type": "error",
                "code": "upstream_error",
                "message": 'A "line"\nbreak',
                "param": None,
                "sequence_number": 0,
            },
        ),
        (
            Dialect.ANTHROPIC,
            Shape.MESSAGE,
            "error",
            {"type": "error", "error": {"type": "api_error", "message": 'A "line"\nbreak'}},
        ),
    ],
)
def test_an_error_event_is_one_whole_event(dialect: Dialect, shape: Shape, name: str | None, body: object) -> None:
    block = error_event(dialect, shape, 502, 'A "line"\nbreak', "upstream_error", None)
    assert complete(block) == len(block)
    (event,) = events(block)
    assert event.name == name
    assert msgspec.json.decode(event.data) == body
