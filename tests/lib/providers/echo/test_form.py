"""The echo's reading of multipart forms."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.providers.echo.errors import Refusal
from lib.providers.echo.form import read_form
from tests.lib.providers.echo.calls import form, upload

TYPE = "multipart/form-data; boundary=b"


@given(
    st.dictionaries(st.text("abc[]", min_size=1, max_size=5), st.text("xy\r\n- é", max_size=9), max_size=3),
    st.binary(max_size=60) | st.sampled_from([b"\r\n--", b"\r\n--a", b"\r\n\r\n--b", b"--b--", b"\r"]),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_any_content_in_any_pieces(fields: dict[str, str], file: bytes, cuts: list[int]) -> None:
    if b"\r\n--b" in b"\r\n" + file or any("\r\n--b" in f"\r\n{value}" for value in fields.values()):
        return  # a boundary is chosen so that it does not occur
    body = form(fields, file)
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    read = read_form(TYPE, [body[start:end] for start, end in pairwise(edges)])
    assert (read.fields, read.file_name, read.file_size) == (fields, "a.wav", len(file))
    assert read.seed == read_form(TYPE, [body]).seed


def test_the_seed_depends_on_the_content_and_not_on_the_boundary() -> None:
    other = read_form('multipart/form-data; charset=utf-8; boundary="other one"', [form({}, boundary="other one")])
    assert other.seed == read_form(TYPE, [form({})]).seed
    assert other.seed != read_form(TYPE, [form({}, b"RIFX")]).seed
    assert other.seed != read_form(TYPE, [form({"a": "b"})]).seed


def test_preamble_and_epilogue_are_passed_over_and_read_to_the_end() -> None:
    body = iter([b"preamble\r\n", form({"a": "b"}), b"epilogue", b"more"])
    assert read_form(TYPE, body).fields == {"a": "b"}
    assert list(body) == []


def test_a_file_name_may_hold_any_letter() -> None:
    assert upload(form({}, file_name="Ärger ☂.wav")).json["text"] == "Received Ärger ☂.wav, 4 bytes."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        b"--b",
        b"--b\r\n",
        b"--b\r\n\r\nnameless\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        form({})[:-6],
        form({"a": "x" * 70_000}),
        b"--b\r\nContent-Disposition: form-data; " + b"x" * 9000,
        b"".join([b'--b\r\nContent-Disposition: form-data; name="f"; filename=""\r\n\r\n\r\n'] * 101) + b"--b--\r\n",
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    got = upload(body)
    assert got.status == 400
    assert got.json["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data", "multipart/mixed; boundary=b", ""])
def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(Refusal):
        read_form(content_type, [form({})])


def test_a_large_file_is_not_held() -> None:
    start, end = form({}, b"FILE").split(b"FILE")

    def body() -> Iterator[bytes]:
        yield start
        for _ in range(400):
            yield bytes(65_536)
        yield end

    tracemalloc.start()
    read = read_form(TYPE, body())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.file_size == 400 * 65_536
    assert peak < 1_000_000
