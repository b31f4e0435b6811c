"""Rates against a model of them in a dictionary: whatever callers do, in whatever order, both say the same."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from math import floor
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from lib.base.errors import RateLimited
from lib.limits import Rates, Taken
from tests.lib.stores.shared import NOON, SqliteShared

OWNERS = st.sampled_from(["ada", "grace"])


class Model:
    """Counts by minute, in whole milliseconds."""

    def __init__(self, rpm: int, tpm: int) -> None:
        self.limits = {"requests": rpm, "tokens": tpm}
        self.counts: dict[tuple[str, str, int], int] = defaultdict(int)
        self.now = 0  # ms

    @property
    def minute(self) -> int:
        return self.now // 60_000

    def used(self, owner: str, kind: str) -> int:
        left = 60_000 - self.now % 60_000
        previous = self.counts[owner, kind, self.minute - 1]
        return floor(previous * left / 60_000) + self.counts[owner, kind, self.minute]

    def take(self, owner: str, tokens: int) -> bool:
        wants = {"requests": 1, "tokens": tokens}
        if any(self.used(owner, kind) + amount > self.limits[kind] for kind, amount in wants.items()):
            return False
        for kind, amount in wants.items():
            self.counts[owner, kind, self.minute] += amount
        return True

    def correct(self, owner: str, minute: int, change: int) -> None:
        if minute >= self.minute - 1:
            key = (owner, "tokens", minute)
            self.counts[key] = max(0, self.counts[key] + change)


def attempt(rates: Rates, owner: str, rpm: int, tpm: int, tokens: int) -> tuple[Taken, RateLimited | None]:
    try:
        return rates.take(owner, rpm, tpm, tokens), None
    except RateLimited as error:
        return Taken(), error


class Machine(RuleBasedStateMachine):
    """A call: its owner, the minute of its beginning, what it took, and what it holds."""

    calls: Bundle[tuple[str, int, Taken, int]] = Bundle("calls")

    @initialize(rpm=st.integers(1, 6), tpm=st.integers(1, 200))
    def begin(self, rpm: int, tpm: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.shared = SqliteShared(Path(self.folder.name) / "rates.db")
        self.workers = [Rates(self.shared.counters), Rates(self.shared.another())]
        self.model = Model(rpm, tpm)

    @rule(target=calls, owner=OWNERS, tokens=st.integers(0, 220), worker=st.integers(0, 1))
    def take(self, owner: str, tokens: int, worker: int):
        rates, model = self.workers[worker], self.model
        expected = model.take(owner, tokens)
        taken, error = attempt(rates, owner, model.limits["requests"], model.limits["tokens"], tokens)
        assert (error is None) == expected
        if error is not None:
            assert (error.retry_after is None) == (tokens > model.limits["tokens"])
        told = {name: int(value) for name, value in taken.headers() if "remaining" in name}
        for kind, limit in model.limits.items() if expected else ():
            assert told[f"x-ratelimit-remaining-{kind}"] == max(0, limit - model.used(owner, kind))
        return owner, model.minute, taken, tokens if expected else 0

    @rule(call=consumes(calls), used=st.integers(0, 400), worker=st.integers(0, 1))
    def correct(self, call, used: int, worker: int) -> None:
        owner, minute, taken, reserved = call
        self.workers[worker].correct(taken, used)
        if taken.counted:
            self.model.correct(owner, minute, used - reserved)

    @rule(milliseconds=st.integers(1, 70_000))
    def wait(self, milliseconds: int) -> None:
        self.model.now += milliseconds + (
            60_000 - (self.model.now + milliseconds) % 60_000 == 60_000
        )  # not on the edge
        self.shared._now = NOON + self.model.now / 1000 + 1e-5  # floats blur the edge

    @invariant()
    def never_above(self) -> None:
        """No minute holds more requests than the limit."""
        for (_, kind, _), count in getattr(self, "model", Model(1, 1)).counts.items():
            assert kind == "tokens" or count <= self.model.limits["requests"]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            for rates in self.workers:
                rates._counters.close()  # type: ignore[attr-defined]
            self.folder.cleanup()


TestRates = Machine.TestCase
TestRates.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
