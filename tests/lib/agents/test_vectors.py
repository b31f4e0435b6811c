"""The vector in an answer, in whichever form it came, digit for digit."""

from __future__ import annotations

import pytest

from lib.agents.vectors import first_vector
from lib.base.errors import VendorProtocolError


@pytest.mark.parametrize("body", [
    b'{"object": "list", "data": [{"index": 0, "embedding": [0.10, -2, 3e-7]}], "usage": {}}',
    b"[[0.10, -2, 3e-7], [9]]",
    b" [[0.10, -2, 3e-7]]",
    b"[0.10, -2, 3e-7]",
])  # fmt: skip
def test_the_first_vector(body: bytes) -> None:
    assert bytes(first_vector(body)) == b"[0.10, -2, 3e-7]"


@pytest.mark.parametrize("body", [
    b"", b"{", b"[", b"[]", b"{}", b"null", b"7", b'"x"', b'[["x"]]', b'["x"]', b'[{"embedding": [1]}]',
    b'{"data": []}', b'{"data": [{"embedding": "AAAA"}]}', b'{"data": [{}]}',
    b'{"data": {}}', b"[[null]]", b"[" * 100_000, b"\xff",
])  # fmt: skip
def test_what_holds_none(body: bytes) -> None:
    with pytest.raises(VendorProtocolError):
        first_vector(body)
