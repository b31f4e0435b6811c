"""The attempts of one call: what leads to the next, what does not, how long is waited, who rests."""

from __future__ import annotations

from time import monotonic

import pytest

from lib.base.errors import (
    AIProxyError,
    ClientGone,
    DeadlineExceeded,
    Draining,
    RateLimited,
    VendorOverloaded,
    VendorProtocolError,
    VendorRefused,
    VendorRejectedUs,
)
from lib.gateway import Call
from tests.lib.gateway.door import CHAT, Door, end_soon, leave_soon
from tests.upstream import Upstream

PAIR = '[models.pair]\ntargets = ["{first}/a"]\nfallbacks = ["{second}/b"]\n'
ONCE = "[defaults]\nattempts = 1\n"
QUICK = "[defaults]\ntimeouts = { first_byte = 0.1, idle = 0.1 }\n"
LONG = 4.0  # seconds; far more than any of these tests should take


def models(upstream: Upstream) -> list[str]:
    return [call.model for call in upstream.calls]


def pair(first: str = "openai", second: str = "anthropic") -> str:
    return PAIR.format(first=first, second=second)


# ---- what leads to the next attempt ----

FAULTS = [
    ("error-500", "upstream_error"),
    ("error-503", "upstream_overloaded"),
    ("error-529", "upstream_overloaded"),
    ("error-504", "upstream_timeout"),
    ("error-401", "upstream_refused"),
    ("error-403", "upstream_refused"),
    ("quota", "upstream_refused"),
    ("error-429", "rate_limit_exceeded"),
    ("html-502", "upstream_error"),
    ("redirect", "upstream_invalid_response"),
    ("cut", "upstream_unreachable"),
    ("close", "upstream_unreachable"),
    ("cut-head", "upstream_invalid_response"),
    ("html", "upstream_invalid_response"),
    ("not-json", "upstream_invalid_response"),
    ("empty", "upstream_invalid_response"),
    ("cut-body", "upstream_invalid_response"),
    ("false-ok", "upstream_overloaded"),
]


@pytest.mark.parametrize(("behaviour", "code"), FAULTS)
def test_a_fault_of_one_place_leads_to_the_next(door: Door, upstream: Upstream, behaviour: str, code: str) -> None:
    door.open(pair())
    upstream.plan(behaviour)
    call = door.call("pair")
    assert door.ask(call).status == 200
    assert models(upstream) == ["a", "b"]
    assert door.tally.failures == [("openai", code)]
    assert (call.record.attempts, call.record.provider, call.record.model_served) == (2, "anthropic", "b")


STREAM_FAULTS = [
    "cut-body-0", "close-body-0", "junk-event-0", "empty-stream", "false-ok", "error-after-0", "close-half-0",
    "junk-chunk-0", "html", "not-json",
]  # fmt: skip


@pytest.mark.parametrize("behaviour", STREAM_FAULTS)
def test_so_does_a_stream_that_fails_before_its_content(door: Door, upstream: Upstream, behaviour: str) -> None:
    door.open(pair(second="openai"))
    upstream.plan(behaviour)
    assert door.stream("pair").endswith(b"data: [DONE]\n\n")
    assert models(upstream) == ["a", "b"]


@pytest.mark.parametrize(("provider", "code"), [("dead", "upstream_unreachable"), ("lost", "upstream_timeout")])
def test_so_does_a_place_that_cannot_be_reached(door: Door, upstream: Upstream, provider: str, code: str) -> None:
    door.open(pair(provider, "openai"))
    assert door.whole("pair")[0] == 200
    assert door.tally.failures == [(provider, code)]


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-0"])
@pytest.mark.parametrize("stream", [False, True])
def test_so_does_silence(door: Door, upstream: Upstream, behaviour: str, stream: bool) -> None:
    door.open(QUICK + pair(second="openai"))
    upstream.plan(behaviour)
    if stream:
        assert door.stream("pair").endswith(b"data: [DONE]\n\n")
    else:
        assert door.whole("pair")[0] == 200
    assert door.tally.failures == [("openai", "upstream_timeout")]
    upstream.wait(lambda upstream: upstream.calls[0].cancelled)


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413, 422])
def test_a_refusal_of_the_request_itself_leads_nowhere_else(door: Door, upstream: Upstream, status: int) -> None:
    door.open(pair(second="openai"))
    upstream.plan(f"error-{status}")
    reply = door.ask(door.call("pair"))
    assert (reply.status, reply.body, models(upstream)) == (status, bytes(upstream.calls[0].payload), ["a"])
    assert door.tally.failures == []


def test_in_another_dialect_only_its_words_are_handed_on(door: Door, upstream: Upstream) -> None:
    upstream.plan("error-400")
    error = door.failure(door.call("anthropic/m"))
    assert isinstance(error, VendorRefused)
    assert (error.status, error.message, error.body) == (400, "Invalid value for 'temperature'.", None)


# ---- how often, and in which order ----


def test_every_place_is_tried_before_any_is_tried_again(door: Door, upstream: Upstream) -> None:
    door.open("[defaults]\nattempts = 2\n" + pair(second="openai"))
    upstream.plan(*["error-500"] * 4)
    error = door.failure(door.call("pair"))
    assert (error.status, models(upstream)[:2], sorted(models(upstream))) == (502, ["a", "b"], ["a", "a", "b", "b"])


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_one_place_is_tried_as_often_as_the_file_says(door: Door, upstream: Upstream, attempts: int) -> None:
    door.open(f"[defaults]\nattempts = {attempts}\n")
    upstream.plan(*["error-500"] * attempts)
    call = door.call("openai/m")
    door.failure(call)
    assert (len(upstream.calls), call.record.attempts) == (attempts, attempts)


@pytest.mark.parametrize("behaviour", ["error-401", "error-403", "quota"])
def test_what_no_patience_helps_is_not_tried_again(door: Door, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    assert isinstance(door.failure(door.call("openai/m")), VendorRejectedUs)
    assert len(upstream.calls) == 1


@pytest.mark.parametrize(
    ("last", "kind"),
    [("error-429", RateLimited), ("error-503", VendorOverloaded), ("html", VendorProtocolError)],
)
def test_the_last_error_is_the_one_that_is_shown(
    door: Door, upstream: Upstream, last: str, kind: type[AIProxyError]
) -> None:
    door.open(ONCE + pair(second="openai"))
    upstream.plan("error-500", last)
    assert type(door.failure(door.call("pair"))) is kind


# ---- waiting ----


@pytest.mark.parametrize("behaviour", ["retry-after-1", "retry-after-1-503", "retry-date-1", "retry-ms-100"])
def test_a_short_time_that_the_vendor_names_is_waited_out(door: Door, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    assert door.whole("openai/m")[0] == 200
    first, second = upstream.calls
    named = {"retry-ms-100": 0.09, "retry-date-1": 0.0}.get(behaviour, 0.95)
    assert second.at - first.at > named


@pytest.mark.parametrize("behaviour", ["retry-after-3", "retry-after-3-503", "retry-date-4", "retry-ms-2500"])
def test_a_long_one_is_left_to_the_caller(door: Door, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    begin = monotonic()
    error = door.failure(door.call("openai/m"))
    assert error.status == (503 if behaviour.endswith("503") else 429)
    assert error.retry_after is not None
    assert 2.4 < error.retry_after <= 4.0
    assert (len(upstream.calls), monotonic() - begin < 2.0) == (1, True)


def test_another_place_is_not_waited_for(door: Door, upstream: Upstream) -> None:
    door.open(pair(second="openai"))
    upstream.plan("retry-after-1")
    assert door.whole("pair")[0] == 200
    assert upstream.calls[1].at - upstream.calls[0].at < 0.9


def test_a_second_try_of_a_place_waits_a_little_though_another_comes_between(door: Door, upstream: Upstream) -> None:
    door.open(pair(second="openai"))
    upstream.plan("error-500", "error-500", "error-500")
    assert door.whole("pair")[0] == 200
    assert sorted(models(upstream)) == ["a", "a", "b", "b"]
    for model in "ab":
        first, second = (call for call in upstream.calls if call.model == model)
        assert second.at - first.at > 0.04


def test_a_pause_longer_than_the_call_may_last_is_not_begun(door: Door, upstream: Upstream) -> None:
    door.open(total=0.5)
    upstream.plan("retry-after-1")
    assert isinstance(door.failure(door.call("openai/m")), RateLimited)
    assert len(upstream.calls) == 1


def test_a_caller_who_leaves_ends_the_wait(door: Door, upstream: Upstream) -> None:
    upstream.plan("retry-after-2")
    call = door.call("openai/m")
    leave_soon(call)
    begin = monotonic()
    assert isinstance(door.failure(call), ClientGone)
    assert (len(upstream.calls), monotonic() - begin < 1.5) == (1, True)
    assert (call.record.gone, call.record.status) == (True, 499)


def test_other_calls_wait_for_the_named_time_too(door: Door, upstream: Upstream) -> None:
    door.open(ONCE)
    upstream.plan("retry-ms-300")
    door.failure(door.call("openai/m"))
    assert door.whole("openai/m")[0] == 200
    first, second = upstream.calls
    assert second.at - first.at > 0.25


def test_but_not_for_a_long_one(door: Door, upstream: Upstream) -> None:
    door.circuit.paused("openai/m", 3.0)
    error = door.failure(door.call("openai/m"))
    assert isinstance(error, VendorOverloaded)
    assert error.retry_after == pytest.approx(3.0, abs=0.5)
    assert upstream.calls == []


def test_nor_for_ever(door: Door, upstream: Upstream) -> None:
    """Each time it is over, another call has been asked to wait again."""
    door.open("[defaults]\nlongest_wait = 0.3\n")
    now = monotonic
    door.circuit.paused = lambda *_: None  # type: ignore[method-assign]
    door.circuit.wait = lambda _key: 0.1  # type: ignore[method-assign]
    begin = now()
    assert isinstance(door.failure(door.call("openai/m")), VendorOverloaded)
    assert 0.1 < now() - begin < LONG


# ---- who rests ----

RESTS = ONCE + "[rest]\nfailures = 2\nseconds = 5\n"


def test_a_place_that_keeps_failing_is_left_out(door: Door, upstream: Upstream) -> None:
    door.open(RESTS + pair(second="openai"))
    upstream.plan("error-500", "ok", "error-500")
    for _ in range(4):
        assert door.whole("pair")[0] == 200
    assert models(upstream) == ["a", "b", "a", "b", "b", "b"]


def test_when_all_rest_the_caller_is_told_for_how_long(door: Door, upstream: Upstream) -> None:
    door.open(RESTS)
    upstream.plan("error-500", "error-500")
    for _ in range(2):
        assert door.failure(door.call("openai/m")).status == 502
    error = door.failure(door.call("openai/m"))
    assert (type(error), len(upstream.calls)) == (VendorOverloaded, 2)
    assert error.retry_after == pytest.approx(5.0, abs=1.0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_after_the_rest_one_call_tries_and_an_answer_ends_it(door: Door, upstream: Upstream) -> None:
    clock = Clock()
    door.open(RESTS, clock=clock)
    upstream.plan("error-500", "error-500", "error-500")
    for _ in range(2):
        door.failure(door.call("openai/m"))
    clock.now += 6
    door.failure(door.call("openai/m"))
    clock.now += 6
    assert isinstance(door.failure(door.call("openai/m")), VendorOverloaded)  # 10 s now
    clock.now += 6
    for _ in range(3):
        assert door.whole("openai/m")[0] == 200
    assert len(upstream.calls) == 6


@pytest.mark.parametrize("behaviour", ["error-400", "error-404", "error-429"])
def test_what_is_not_its_fault_makes_nobody_rest(door: Door, upstream: Upstream, behaviour: str) -> None:
    door.open(RESTS)
    upstream.plan(*[behaviour] * 5)
    for _ in range(5):
        call = door.call("openai/m")
        if behaviour == "error-429":
            door.failure(call)
        else:
            door.ask(call)
    assert door.whole("openai/m")[0] == 200


def test_models_of_one_vendor_rest_apart(door: Door, upstream: Upstream) -> None:
    door.open(RESTS)
    upstream.plan("error-500", "error-500")
    for _ in range(2):
        door.failure(door.call("openai/a"))
    assert door.whole("openai/b")[0] == 200


def test_a_refusal_of_the_request_is_an_answer_too(door: Door, upstream: Upstream) -> None:
    door.open(RESTS)
    upstream.plan("error-500", "error-400", "error-500")
    door.failure(door.call("openai/m"))
    door.ask(door.call("openai/m"))
    door.failure(door.call("openai/m"))
    assert door.whole("openai/m")[0] == 200


def test_the_end_of_a_rest_is_not_waited_for(door: Door, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    door.open(RESTS, clock=clock)
    upstream.plan("error-500", "error-500")
    for _ in range(2):
        door.failure(door.call("openai/m"))
    clock.now += 4
    call = door.call("openai/m")
    monkeypatch.setattr(call.client, "pause", lambda seconds: pytest.fail("it waits"))
    assert isinstance(door.failure(call), VendorOverloaded)


@pytest.mark.parametrize("how", ["leaves", "is refused", "is limited", "cannot be expressed", "is malformed"])
def test_a_trial_without_a_verdict_leaves_room_for_another(door: Door, upstream: Upstream, how: str) -> None:
    clock = Clock()
    door.open(RESTS, clock=clock)
    upstream.plan("error-500", "error-500")
    for _ in range(2):
        door.failure(door.call("anthropic/m"))
    clock.now += 6
    if how == "leaves":
        upstream.plan("silent")
        call = door.call("anthropic/m")
        leave_soon(call)
        door.failure(call)
    elif how in ("is refused", "is limited"):
        upstream.plan("error-400" if how == "is refused" else "error-429")
        door.failure(door.call("anthropic/m"))
    elif how == "cannot be expressed":
        door.failure(door.call("anthropic/m", logprobs=True))
    else:
        door.failure(door.call("anthropic/m", messages=[{"role": "user", "content": 7}]))
    assert door.whole("anthropic/m")[0] == 200


# ---- the deadline ----


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-0", "slow-body-2"])
def test_a_call_takes_no_longer_than_it_may(door: Door, upstream: Upstream, behaviour: str) -> None:
    door.open(total=0.2)
    upstream.plan(behaviour)
    call = door.call("openai/m")
    begin = monotonic()
    assert isinstance(door.failure(call), DeadlineExceeded)
    assert 0.15 < monotonic() - begin < LONG
    upstream.wait(lambda upstream: upstream.cancelled)
    assert call.record.status == 504


def test_a_model_may_have_a_deadline_of_its_own(door: Door, upstream: Upstream) -> None:
    door.open('[models.m]\ntargets = ["openai/m"]\ntimeouts = { total = 0.2 }\n')
    upstream.plan("silent")
    assert isinstance(door.failure(door.call("m")), DeadlineExceeded)


def test_retries_share_one_deadline(door: Door, upstream: Upstream) -> None:
    door.open(total=0.6)
    upstream.plan("error-500", "silent")
    assert isinstance(door.failure(door.call("openai/m")), DeadlineExceeded)
    assert len(upstream.calls) == 2


# ---- leaving ----


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-1"])
def test_a_caller_who_leaves_ends_the_attempt(door: Door, upstream: Upstream, behaviour: str) -> None:
    upstream.plan(behaviour)
    call = door.call("openai/m")
    leave_soon(call)
    assert isinstance(door.failure(call), ClientGone)
    upstream.wait(lambda upstream: upstream.cancelled)
    assert (call.record.gone, call.record.attempts, door.tally.failures) == (True, 1, [])


def test_a_caller_who_leaves_ends_the_connecting(door: Door, upstream: Upstream) -> None:
    door.open('[models.m]\ntargets = ["lost/m"]\ntimeouts = { connect = 20 }\n')
    call = door.call("m")
    leave_soon(call)
    begin = monotonic()
    assert isinstance(door.failure(call), ClientGone)
    assert monotonic() - begin < LONG


def test_a_caller_who_has_left_already_is_not_asked_for(door: Door, upstream: Upstream) -> None:
    call = door.call("openai/m", CHAT)
    call.client.leave()  # type: ignore[attr-defined]
    assert isinstance(door.failure(call), ClientGone)
    assert upstream.calls == []


# ---- the end of the server's grace ----


def assert_told(door: Door, call: Call) -> None:
    """The call ends in `Draining`, soon, and no vendor is to blame."""
    begin = monotonic()
    assert isinstance(door.failure(call), Draining)
    assert monotonic() - begin < 1.5
    assert (call.record.gone, call.record.status, call.record.settled) == (False, 503, True)


@pytest.mark.parametrize("behaviour", ["silent", "silent-head", "silent-stream-0"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_server_that_can_wait_no_longer_ends_the_attempt(
    door: Door, upstream: Upstream, behaviour: str, stream: bool
) -> None:
    door.open(pair() + "[rest]\nfailures = 1\n")
    upstream.plan(behaviour)
    call = door.call("pair", stream=stream)
    end_soon(call)
    assert_told(door, call)
    upstream.wait(lambda upstream: upstream.cancelled)
    assert (len(upstream.calls), door.tally.failures, door.circuit.rests("openai/a")) == (1, [], False)


def test_a_server_that_can_wait_no_longer_ends_the_wait(door: Door, upstream: Upstream) -> None:
    upstream.plan("retry-after-2")
    call = door.call("openai/m")
    end_soon(call)
    assert_told(door, call)
    assert len(upstream.calls) == 1


def test_a_server_that_can_wait_no_longer_begins_nothing(door: Door, upstream: Upstream) -> None:
    call = door.call("openai/m")
    call.client.end()  # type: ignore[attr-defined]
    assert_told(door, call)
    assert upstream.calls == []


def test_a_caller_who_leaves_then_is_gone_all_the_same(door: Door, upstream: Upstream) -> None:
    call = door.call("openai/m")
    call.client.end()  # type: ignore[attr-defined]
    call.client.leave()  # type: ignore[attr-defined]
    assert isinstance(door.failure(call), ClientGone)
    assert (call.record.gone, call.record.status) == (True, 499)
