"""What a caller may take, over every store: both limits or neither, the headers, the refusals, the corrections."""

from __future__ import annotations

import re
from itertools import count

import pytest

from lib.base.errors import RateLimited, StoreUnavailable
from lib.limits import Rates
from lib.limits.durations import duration
from tests.lib.stores.shared import Shared, SqliteShared


@pytest.fixture
def rates(shared: Shared) -> Rates:
    return Rates(shared.counters)


def refusal(rates: Rates, *arguments) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        rates.take(*arguments)
    return caught.value


def remaining(rates: Rates, owner: str, rpm: int | None, tpm: int | None) -> dict[str, int]:
    """What is left, as the headers of a call that takes nothing but one request say."""
    headers = dict(rates.take(owner, rpm, tpm, 0).headers())
    return {kind: int(headers[f"x-ratelimit-remaining-{kind}"]) for kind in ("requests", "tokens")}


# ---- headers ----


def test_the_headers_of_a_first_call(rates: Rates):
    headers = dict(rates.take("ada", 60, 1000, 250).headers())
    assert list(headers) == [
        f"x-ratelimit-{what}-{kind}" for kind in ("requests", "tokens") for what in ("limit", "remaining", "reset")
    ]
    assert headers["x-ratelimit-limit-requests"] == "60"
    assert headers["x-ratelimit-remaining-requests"] == "59"
    assert headers["x-ratelimit-limit-tokens"] == "1000"
    assert headers["x-ratelimit-remaining-tokens"] == "750"
    assert re.fullmatch(r"(1m)?[\d.]+s", headers["x-ratelimit-reset-tokens"])


@pytest.mark.parametrize(
    ("rpm", "tpm", "kinds"), [(60, None, {"requests"}), (None, 60, {"tokens"}), (None, None, set())]
)
def test_what_is_not_limited_is_not_told(rates: Rates, rpm, tpm, kinds):
    names = {name.rpartition("-")[2] for name, _ in rates.take("ada", rpm, tpm, 5).headers()}
    assert names == kinds


def test_after_the_reset_all_is_free(shared: Shared, rates: Rates):
    taken = rates.take("ada", None, 100, 90)
    reset = taken.counted[0].reset
    shared.advance(reset)
    assert dict(rates.take("ada", None, 100, 0).headers())["x-ratelimit-remaining-tokens"] == "100"
    assert dict(rates.take("ada", None, 100, 0).headers())["x-ratelimit-reset-tokens"] == "0s"


# ---- refusals ----


def test_the_refusal_of_a_request(rates: Rates):
    for _ in range(3):
        rates.take("ada", 3, 1000, 10)
    error = refusal(rates, "ada", 3, 1000, 10)
    assert (error.status, error.code, error.param) == (429, "rate_limit_exceeded", None)
    assert error.message.startswith("Rate limit reached: 3 requests a minute, 0 left. Try again in ")
    assert duration(error.retry_after or 0) in error.message
    headers = dict(error.headers)
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["x-ratelimit-remaining-tokens"] == "970"


def test_the_refusal_of_tokens(rates: Rates):
    rates.take("ada", 10, 1000, 900)
    error = refusal(rates, "ada", 10, 1000, 101)
    assert error.message.startswith("Rate limit reached: 1000 tokens a minute, 100 left and this call needs 101. Try")
    assert remaining(rates, "ada", 10, 1000) == {"requests": 8, "tokens": 100}, "its request was given back"


def test_both_refuse_and_the_longer_wait_counts(rates: Rates):
    rates.take("ada", 1, 10, 10)
    requests, tokens = (refusal(rates, "ada", *limits, 5) for limits in ((1, None), (None, 10)))
    assert (tokens.retry_after or 0) > (requests.retry_after or 0)
    both = refusal(rates, "ada", 1, 10, 5)
    assert "10 tokens a minute" in both.message
    assert both.retry_after == pytest.approx(tokens.retry_after, abs=1)


@pytest.mark.parametrize(("tokens", "rpm"), [(1001, 10), (10**15, 10), (5, 0)])
def test_what_never_fits_says_so(rates: Rates, tokens, rpm):
    error = refusal(rates, "ada", rpm, 1000, tokens)
    assert "can never be admitted" in error.message
    assert error.code == "rate_limit_exceeded"
    assert error.retry_after is None
    assert not error.retryable
    assert remaining(rates, "ada", 10, 1000)["requests"] == 9


@pytest.mark.parametrize("pause", [0, 7, 31, 58, 62, 100])
def test_retry_after_is_the_truth(shared: Shared, rates: Rates, pause):
    rates.take("ada", None, 100, 100)
    shared.advance(pause)
    while True:
        try:
            rates.take("ada", None, 100, 9)
        except RateLimited:
            break
    error = refusal(rates, "ada", None, 100, 50)
    early = (error.retry_after or 0) - 0.003 - shared.slack
    shared.advance(early)
    refusal(rates, "ada", None, 100, 50)
    shared.advance(0.003 + shared.slack)
    rates.take("ada", None, 100, 50)


def test_owners_and_limits_are_apart(rates: Rates):
    for owner in ("ada", "ada/1", "ada/requests", "", "{ada}", "ada\n", "ädä", "'; --", "x" * 5000):
        rates.take(owner, 1, 1, 1)
        refusal(rates, owner, 1, 1, 1)


# ---- corrections ----


@pytest.mark.parametrize(("used", "left"), [(100, 900), (0, 1000), (-5, 1000), (500, 500), (700, 300), (1000, 0)])
def test_a_correction(rates: Rates, used, left):
    taken = rates.take("ada", 10, 1000, 500)
    rates.correct(taken, used)
    assert remaining(rates, "ada", 10, 1000)["tokens"] == left


def test_corrections_as_more_becomes_known(rates: Rates):
    taken = rates.take("ada", 10, 1000, 500)
    for used in (100, 100, 300, 50, 50):
        rates.correct(taken, used)
    assert remaining(rates, "ada", 10, 1000)["tokens"] == 950


def test_more_than_the_limit_was_used_and_it_takes_until_it_has_faded(shared: Shared, rates: Rates):
    rates.correct(rates.take("ada", None, 1000, 500), 3000)
    error = refusal(rates, "ada", None, 1000, 1)
    assert "0 left" in error.message
    shared.advance((error.retry_after or 0) + shared.slack)
    rates.take("ada", None, 1000, 1)


def test_a_correction_that_comes_late_leaves_the_next_window_alone(shared: Shared, rates: Rates):
    taken = rates.take("ada", None, 1000, 600)
    shared.advance(61)
    rates.take("ada", None, 1000, 100)
    rates.correct(taken, 0)
    assert dict(rates.take("ada", None, 1000, 0).headers())["x-ratelimit-remaining-tokens"] == "900"


def test_nothing_to_correct(rates: Rates):
    rates.correct(rates.take("ada", None, None, 5), 100)
    rates.correct(rates.take("ada", 5, None, 5), 100)


# ---- a store that is down ----


class Down:
    """Counters that are never there."""

    def take(self, hits):
        raise StoreUnavailable(detail="down")

    def correct(self, hit, mark, change):
        raise StoreUnavailable(detail="down")


def test_what_becomes_of_calls_is_a_setting():
    told = count()
    assert Rates(Down(), "allow", on_unavailable=told.__next__).take("ada", 1, 1, 1).headers() == []
    with pytest.raises(StoreUnavailable):
        Rates(Down(), "refuse", on_unavailable=told.__next__).take("ada", 1, 1, 1)
    assert next(told) == 2


def test_who_has_no_rates_never_meets_the_store():
    Rates(Down(), "refuse").take("ada", None, None, 100)


def test_what_never_fits_is_refused_without_the_store():
    with pytest.raises(RateLimited):
        Rates(Down(), "allow").take("ada", None, 10, 11)


def test_a_correction_never_raises(tmp_path):
    shared = SqliteShared(tmp_path / "rates.db")
    told = count()
    taken = Rates(shared.counters).take("ada", 10, 100, 10)
    rates = Rates(Down(), "refuse", on_unavailable=told.__next__)
    rates.correct(taken, 5)
    assert (rates.unavailable, next(told)) == (1, 1)
    Rates(shared.counters).correct(taken, 5)
    assert remaining(Rates(shared.counters), "ada", 10, 100)["tokens"] == 95
    shared.close()


def test_it_is_logged_at_most_once_a_second(monkeypatch):
    now, lines = [0.0], []
    monkeypatch.setattr("lib.limits.rates.log", type("Log", (), {"warning": lambda self, *_, **f: lines.append(f)})())
    rates = Rates(Down(), "allow", clock=lambda: now[0])
    for step in range(25):
        now[0] = step / 10
        rates.take("ada", 1, 1, 1)
    assert [line["failures"] for line in lines] == [1, 11, 21]
    assert rates.unavailable == 25
