"""The path of one model behind an address of its own: no route, and an answer that may be a list."""

from __future__ import annotations

import pytest

from lib.base.errors import VendorError, VendorProtocolError
from lib.wire import EMBED, PATHS, Shape, counterpart, error_in_body, find_usage, path_of


def test_it_has_no_route() -> None:
    assert EMBED not in PATHS
    assert path_of(Shape.EMBED) is EMBED
    assert counterpart(EMBED) is None
    assert [path.name for path in PATHS if not path.names_model] == []


@pytest.mark.parametrize("body", [b"[[0.1, 0.2]]", b"[]", b" [1]", b'{"data": []}'])
def test_lists_and_objects_are_answers(body: bytes) -> None:
    assert error_in_body(Shape.EMBED, body, "tei") is None
    assert find_usage(Shape.EMBED, body) is None


@pytest.mark.parametrize(("body", "kind"), [
    (b"", VendorProtocolError),
    (b"[[0.1", VendorProtocolError),
    (b'"text"', VendorProtocolError),
    (b"7", VendorProtocolError),
    (b"<html>", VendorProtocolError),
    (b'{"error": "Model is overloaded"}', VendorError),
])  # fmt: skip
def test_what_is_none(body: bytes, kind: type[Exception]) -> None:
    assert isinstance(error_in_body(Shape.EMBED, body, "tei"), kind)


@pytest.mark.parametrize("shape", [Shape.CHAT, Shape.EMBEDDING])
def test_elsewhere_a_list_is_no_answer(shape: Shape) -> None:
    assert isinstance(error_in_body(shape, b"[[0.1]]", "tei"), VendorProtocolError)
