"""Forms that are refused: their shape, their size, and nothing left open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.src.conftest import openai_error
from tests.upstream import Upstream

PATH = "/v1/audio/transcriptions"


@pytest.fixture
def calls(fronted: Callable[..., FlaskClient], upstream: Upstream) -> FlaskClient:
    """A client of an application in front of a vendor."""
    return fronted(MAX_BODY_BYTES="4096")


@pytest.mark.parametrize(("kind", "body"), [
    ("multipart/form-data", b""),
    ("multipart/form-data; boundary=", b"--\r\n"),
    ("multipart/form-data; boundary=b", b""),
    ("multipart/form-data; boundary=b", b"--b--\r\n"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhis'),
    ("multipart/form-data; boundary=" + "b" * 500, b"--b"),
])  # fmt: skip
def test_a_broken_form(calls: FlaskClient, kind: str, body: bytes) -> None:
    answer = calls.post("/v1/audio/transcriptions", data=body, content_type=kind)
    assert answer.status_code == 400
    assert openai_error(answer)["type"] == "invalid_request_error"


def test_a_form_that_is_too_large(calls: FlaskClient, upstream: Upstream) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + b"x" * 4096
    answer = calls.post(PATH, data=body, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, openai_error(answer)["code"]) == (413, "request_too_large")
    assert upstream.calls == []
