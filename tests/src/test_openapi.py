"""The served document is valid OpenAPI 3.1 and says what the URL map says."""

from __future__ import annotations

import re
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient

from lib.wire import PATHS
from tests.src.test_guards import OPEN, addresses

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    body: dict[str, Any] = answer.get_json()
    return body


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation by its path and method."""
    return {
        (path, method): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()


def test_a_broken_document_would_be_noticed(document: dict[str, Any]) -> None:
    document["paths"]["/v1/models"]["get"]["responses"] = 7
    with pytest.raises(Exception, match="7"):
        schemathesis.openapi.from_dict(document).validate()


def test_it_holds_every_route_and_no_other(app: Flask, document: dict[str, Any]) -> None:
    served = {(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule), method.lower()) for rule, method, _ in addresses(app)}
    assert set(operations(document)) == served


def test_what_needs_a_key_says_so(document: dict[str, Any]) -> None:
    free = {path for (path, _), operation in operations(document).items() if operation["security"] == []}
    assert free == {re.sub(r"<(\w+)>", r"{\1}", rule) for rule in OPEN}
    named = {name for operation in operations(document).values() for way in operation["security"] for name in way}
    assert named == set(document["components"]["securitySchemes"])


def test_operations_have_names_of_their_own_and_words(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len({operation["operationId"] for operation in found.values()}) == len(found)
    assert [place for place, operation in found.items() if len(operation["summary"]) < 10] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_the_body_of_a_forwarded_path(document: dict[str, Any], path: Any) -> None:
    operation = operations(document)[path.route, "post"]
    (kind, body), *others = operation["requestBody"]["content"].items()
    assert (kind, others) == ("multipart/form-data" if path.multipart else "application/json", [])
    assert body["schema"]["required"] == list(path.required)
    assert ("stream" in body["schema"]["properties"]) == path.streams
    assert ("text/event-stream" in operation["responses"]["200"]["content"]) == path.streams


def test_arguments_in_paths_are_declared(document: dict[str, Any]) -> None:
    for (path, _), operation in operations(document).items():
        declared = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
        assert declared == re.findall(r"\{(\w+)\}", path)
