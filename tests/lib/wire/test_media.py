"""Data URLs, base64, identifiers of tool calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.base.errors import BadRequest, Untranslatable
from lib.wire.media import DataUrl, decode_base64, image_type, read_data_url, tool_id, write_data_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png;base64,iVBORw0=", DataUrl("image/png", "iVBORw0=")),
        ("data:image/JPG;base64,/9j/", DataUrl("image/jpeg", "/9j/")),
        ("data:application/pdf;name=a.pdf;base64,JVBE", DataUrl("application/pdf", "JVBE")),
        ("DATA:image/gif;BASE64,R0lG", DataUrl("image/gif", "R0lG")),
        ("data:;base64,", DataUrl("", "")),
    ],
)
def test_data_urls(url: str, expected: DataUrl) -> None:
    assert read_data_url(url, "x") == expected


@pytest.mark.parametrize("url", ["", "data:", "data:image/png,abc", "https://a/b.png", "data:image/png;base64"])
def test_what_is_no_base64_data_url_is_refused(url: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_data_url(url, "messages[0].content[1].image_url.url")
    assert caught.value.param == "messages[0].content[1].image_url.url"


def test_a_written_data_url_is_read_again() -> None:
    assert read_data_url(write_data_url("image/webp", "UklG"), "x") == DataUrl("image/webp", "UklG")


@pytest.mark.parametrize(("given_type", "expected"), [("image/png", "image/png"), ("IMAGE/JPG", "image/jpeg")])
def test_image_types_have_one_spelling(given_type: str, expected: str) -> None:
    assert image_type(given_type, "x") == expected


def test_an_image_that_the_vendors_do_not_read() -> None:
    with pytest.raises(Untranslatable) as caught:
        image_type("image/tiff", "x.url")
    assert caught.value.param == "x.url"


@given(st.binary(max_size=20))
def test_base64_is_decoded(data: bytes) -> None:
    import base64

    assert decode_base64(base64.b64encode(data).decode(), "x") == data


@pytest.mark.parametrize("data", ["a", "a===", "%%%%", "aaaa\n", "ééé="])
def test_what_is_no_base64_is_refused(data: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_base64(data, "source.data")
    assert caught.value.param == "source.data"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("toolu_01D7FLrfh4GYq7yT1ULFeyMV", "toolu_01D7FLrfh4GYq7yT1ULFeyMV"),
        ("call_abc-123", "call_abc-123"),
        ("functions.bash:0", "functions_bash_0"),
        ("x" * 40, "x" * 40),
    ],
)
def test_tool_ids_that_need_little(value: str, expected: str) -> None:
    assert tool_id(value, 40) == expected


def test_long_tool_ids_are_shortened_and_stay_apart() -> None:
    first, second = tool_id("x" * 41, 40), tool_id("x" * 42, 40)
    assert len(first) == len(second) == 40
    assert first != second
    assert tool_id("x" * 41, 40) == first
