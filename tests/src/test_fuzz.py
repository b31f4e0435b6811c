"""schemathesis reads the served document and calls the running server with what it allows, and what not."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode

from tests.src.conftest import BEARER
from tests.upstream import Gateway

EXAMPLES = 10  # for each operation
QUIETLY = hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

ANSWERED = ("POST /v1/chat/completions", "POST /v1/messages", "POST /v1/responses", "POST /v1/audio/transcriptions")


@pytest.fixture(scope="module")
def operations(server: Gateway) -> dict[str, Any]:
    """Every operation of the served document, by its name."""
    schema: Any = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    found = [operation.ok() for operation in schema.get_all_operations()]
    return {operation.label: operation for operation in found}


def towards_the_echo(body: Any) -> None:
    """A model that exists, wherever the body names one: else every answer would be 404."""
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        body["model"] = "echo"


def statuses(operation: Any, mode: GenerationMode) -> set[int]:
    """The statuses that calls of one operation get. Fails at the first of 5xx."""
    seen: set[int] = set()

    @QUIETLY
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        towards_the_echo(case.body)
        answer = case.call(headers=BEARER)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=[schemathesis.checks.not_a_server_error])

    call()
    return seen


def test_no_call_that_the_document_allows_fails(operations: dict[str, Any]) -> None:
    seen = {label: statuses(operation, GenerationMode.POSITIVE) for label, operation in operations.items()}
    assert {label for label in ANSWERED if 200 not in seen[label]} == set()
    assert len(seen) > len(ANSWERED)


def test_no_call_that_the_document_forbids_fails(operations: dict[str, Any]) -> None:
    with_body = {label: operation for label, operation in operations.items() if label.startswith("POST")}
    seen = {label: statuses(operation, GenerationMode.NEGATIVE) for label, operation in with_body.items()}
    assert {label for label, found in seen.items() if not found & {400, 404, 415, 422}} == set()
