"""A call that brings its caller's own key with a vendor: who gets it, who never does, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib.base.errors import GatewayError, UnknownModel, VendorRejectedUs
from lib.gateway import Call
from tests.lib.gateway.door import Door
from tests.upstream import Upstream

OWN = "own-key-of-the-caller-4711"
TAKES = '[providers.open]\nprefixes = ["gpt-"]\ncallers_key = true\nkey = "{key}"\naddress = "OPENAI_BASE_URL"\n'
PAIR = '[models.pair]\ntargets = ["open/error-500"]\nfallbacks = ["openai/ok"]\n'


@pytest.fixture
def door(upstream: Upstream, tmp_path: Path) -> Iterator[Door]:
    made = Door(upstream, tmp_path)
    yield made
    made.http.close()


def own(call: Call) -> Call:
    return replace(call, credential=OWN)


def shown(upstream: Upstream) -> list[str | None]:
    return [call.header("authorization") for call in upstream.calls]


@pytest.mark.parametrize("key", ["OPENAI_API_KEY", "KEY_THAT_NOBODY_SET_API_KEY"])
def test_it_is_used_whether_or_not_the_gateway_has_one(door: Door, upstream: Upstream, key: str) -> None:
    door.open(TAKES.format(key=key))
    for model in ("gpt-4o", "open/ok"):
        assert door.ask(own(door.call(model))).status == 200
    assert shown(upstream) == [f"Bearer {OWN}"] * 2


def test_without_one_a_vendor_without_a_key_stays_unknown(door: Door) -> None:
    door.open(TAKES.format(key="KEY_THAT_NOBODY_SET_API_KEY"))
    for model in ("gpt-4o", "open/ok"):
        assert isinstance(door.failure(door.call(model)), UnknownModel)


def test_no_other_vendor_sees_it(door: Door, upstream: Upstream) -> None:
    door.open(PAIR + TAKES.format(key="OPENAI_API_KEY"))
    assert door.ask(own(door.call("pair"))).status == 200
    assert door.ask(own(door.call("anthropic/ok"))).status == 200
    first, second, third = upstream.calls
    assert first.header("authorization") == f"Bearer {OWN}"
    assert OWN not in str([*second.headers, *third.headers])


def test_a_vendor_that_quotes_it_is_not_believed(door: Door) -> None:
    door.open(TAKES.format(key="OPENAI_API_KEY"))
    for status in (400, 500):
        error = door.failure(own(door.call(f"open/leak-{status}")))
        assert OWN not in f"{error.message} {error.detail} {error.code} {getattr(error, 'body', None)}"


def test_a_pause_that_it_was_asked_for_is_not_for_others(door: Door, upstream: Upstream) -> None:
    door.open("[defaults]\nattempts = 1\nlongest_wait = 0\n" + TAKES.format(key="OPENAI_API_KEY"))
    upstream.plan("retry-after-30")
    door.failure(own(door.call("gpt-4o")))
    assert door.ask(door.call("gpt-4o")).status == 200


def test_one_that_is_refused_is_no_sign_for_others(door: Door, upstream: Upstream) -> None:
    door.open(TAKES.format(key="OPENAI_API_KEY"))
    upstream.plan("error-401")
    assert isinstance(door.failure(own(door.call("gpt-4o"))), VendorRejectedUs)
    assert len(upstream.calls) == 1


def test_nothing_shows_it(door: Door) -> None:
    assert OWN not in repr(own(door.call("gpt-4o")))


def test_a_deadline_that_a_call_brings_counts(door: Door) -> None:
    call = door.call("openai/silent")
    call.deadline = call.record.started + 0.1
    assert door.failure(call).code == "deadline_exceeded"


def test_nor_for_those_who_bring_another_key(door: Door, upstream: Upstream) -> None:
    door.open("[defaults]\nattempts = 1\n" + TAKES.format(key="OPENAI_API_KEY"))
    upstream.plan("retry-after-30")
    door.failure(own(door.call("open/ok")))
    assert door.ask(replace(door.call("open/ok"), credential="another-key-0815")).status == 200
    assert isinstance(door.failure(own(door.call("open/ok"))), GatewayError)  # its own pause lasts
