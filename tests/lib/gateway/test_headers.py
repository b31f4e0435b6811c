"""Which headers travel: an allow list each way, so that what nobody thought of stays here."""

from __future__ import annotations

import pytest

from lib.gateway.headers import DOWN, UP, downward, upward

SECRET = [
    "authorization", "x-api-key", "api-key", "cookie", "set-cookie", "proxy-authorization", "x-amz-security-token",
    "x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "origin", "referer",
]  # fmt: skip
HOP_BY_HOP = [
    "connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade",
    "content-length", "host", "accept-encoding", "content-encoding", "expect",
]  # fmt: skip


@pytest.mark.parametrize("name", [*SECRET, *HOP_BY_HOP])
def test_what_stays_here_both_ways(name: str) -> None:
    for spelling in (name, name.title(), name.upper()):
        assert upward([(spelling, "x")]) == []
        assert downward([(spelling, "x")]) == []


def test_what_the_caller_says_of_the_call_goes_up_in_order() -> None:
    given = [("Anthropic-Beta", "a,b"), ("Cookie", "c"), ("traceparent", "00-1"), ("X-Stainless-Lang", "python")]
    assert upward(given) == [("anthropic-beta", "a,b"), ("traceparent", "00-1"), ("x-stainless-lang", "python")]
    assert [name for name, _ in upward([(name, "1") for name in sorted(UP)])] == sorted(UP)


def test_what_the_vendor_says_of_the_answer_comes_down() -> None:
    assert [name for name, _ in downward([(name, "1") for name in sorted(DOWN)])] == sorted(DOWN)
    assert downward([("x-request-id", "req_1")]) == [("x-upstream-request-id", "req_1")]


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\nb", "a\rb"])
def test_a_value_with_a_line_break_does_not_come_down(value: str) -> None:
    assert downward([("content-type", value), ("retry-after", "1")]) == [("retry-after", "1")]
