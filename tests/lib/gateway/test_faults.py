"""What a vendor's refusal means: the table of statuses, the forms of Retry-After, and what is never shown."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

import msgspec
import pytest

from lib.base.errors import (
    AIProxyError,
    RateLimited,
    VendorError,
    VendorOverloaded,
    VendorProtocolError,
    VendorRefused,
    VendorRejectedUs,
    VendorTimeout,
)
from lib.gateway.faults import LONGEST_WAIT, refusal, retry_after

KEY = "sk-vendor-secret-0123456789"


def body(message: str = "Words of the vendor.", **fields: Any) -> bytes:
    return msgspec.json.encode({"error": {"message": message, "type": "t", "code": None, **fields}})


def said(status: int, raw: bytes = body(), headers: tuple[tuple[str, str], ...] = ()) -> AIProxyError:
    return refusal(status, headers, raw, "acme")


TABLE = [
    *[(status, VendorRefused, status) for status in (400, 404, 405, 409, 410, 413, 415, 422, 451)],
    *[(status, VendorRejectedUs, 502) for status in (401, 402, 403, 407, 418, 421, 426)],
    (408, VendorTimeout, 504),
    (429, RateLimited, 429),
    *[(status, VendorError, 502) for status in (500, 501, 502, 505, 520, 599)],
    (503, VendorOverloaded, 503),
    (504, VendorTimeout, 504),
    (529, VendorOverloaded, 503),
    *[(status, VendorProtocolError, 502) for status in (300, 301, 302, 304, 307, 308)],
]


@pytest.mark.parametrize(("status", "kind", "shown"), TABLE)
def test_every_status_has_its_meaning(status: int, kind: type[AIProxyError], shown: int) -> None:
    error = said(status)
    assert (type(error), error.status, error.provider) == (kind, shown, "acme")


@pytest.mark.parametrize(("status", "kind", "shown"), TABLE)
@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b"null", b'{"error": 1}', b"\xff", b"[" * 50_000])
def test_whatever_its_body_is(status: int, kind: type[AIProxyError], shown: int, raw: bytes) -> None:
    error = said(status, raw)
    assert (type(error), error.status) == (kind, shown)
    assert error.message


def test_what_concerns_the_callers_request_keeps_the_vendors_words() -> None:
    raw = body("`n` is too large.", code="too_large", param="n")
    error = said(400, raw)
    assert isinstance(error, VendorRefused)
    assert (error.message, error.code, error.param, error.body) == ("`n` is too large.", "too_large", "n", raw)


@pytest.mark.parametrize("raw", [b"Bad request, says the balancer.", b'"text"', b'["text"]', b"<html>", b"", b"{}"])
def test_only_an_object_with_words_is_handed_on_as_it_is(raw: bytes) -> None:
    error = said(400, raw)
    assert isinstance(error, VendorRefused)
    assert error.body is None
    assert "<" not in error.message


@pytest.mark.parametrize("status", [401, 403, 500, 503, 529, 429])
def test_other_words_are_for_the_log_alone(status: int) -> None:
    error = said(status, body("rack 7 burns"))
    assert "rack 7" not in error.message
    assert ("rack 7" in str(error.detail)) is (status >= 500)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_key_in_the_vendors_words_is_never_shown(status: int) -> None:
    error = said(status, body(f"Bad key {KEY}."))
    assert isinstance(error, VendorRefused)
    assert (KEY in error.message, error.body) == (False, None)


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (402, {}),
        (429, {"code": "insufficient_quota"}),
        (429, {"type": "insufficient_quota"}),
        (400, {"type": "billing_error"}),
        (403, {"code": "billing_hard_limit_reached"}),
    ],
)
def test_an_empty_account_is_ours_and_no_patience_helps(status: int, fields: dict[str, str]) -> None:
    error = said(status, body(**fields), (("retry-after", "1"),))
    assert type(error) is VendorRejectedUs
    assert "credit" in error.message
    assert (error.retryable, error.retry_after) == (False, None)


@pytest.mark.parametrize("status", [408, 429, 500, 503, 504, 529])
def test_a_time_that_the_vendor_names_is_kept(status: int) -> None:
    assert said(status, headers=(("retry-after", "7"),)).retry_after == 7.0


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 3 "}, 3.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, 0.0),
        ({"retry-after": "Friday, 15-Jan-27 08:00:30 GMT"}, 30.0),
        ({"retry-after": "9" * 30}, LONGEST_WAIT),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "Mon, 99 Foo 2027 08:00:00 GMT"}, None),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "3"}, 3.0),
        ({"retry-after-ms": "nan", "retry-after": "3"}, 3.0),
        ({"retry-after-ms": "-5"}, 0.0),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers.items(), NOW) == seconds


def test_a_date_is_taken_from_now() -> None:
    import time

    wait = retry_after([("retry-after", formatdate(time.time() + 100, usegmt=True))])
    assert wait is not None
    assert 90 < wait <= 100


@pytest.mark.parametrize(
    "words",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    ],
)
def test_a_prompt_that_is_too_long_has_one_code(words: str) -> None:
    assert said(400, body(words)).code == "context_length_exceeded"
    assert said(404, body(words)).code == "invalid_request"
    assert said(400, body(words, code="own")).code == "own"
    assert said(400).code == "invalid_request"
