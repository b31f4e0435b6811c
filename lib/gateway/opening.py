"""From a call to the first content: the attempts, one after the other.

Until a vendor shows content nothing is owed to the caller, so any fault of a
vendor leads to the next attempt. An `Opening` is advanced in slices of time by
whoever answers the caller, so that pings can be sent and deadlines kept
meanwhile; it holds at most one open answer.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from time import monotonic

from lib.base.errors import (
    AIProxyError,
    ClientGone,
    DeadlineExceeded,
    GatewayError,
    RateLimited,
    Untranslatable,
    VendorOverloaded,
    VendorRefused,
)
from lib.gateway.call import Call
from lib.gateway.choose import Place
from lib.gateway.circuit import Circuit
from lib.gateway.outgoing import prepare
from lib.gateway.settle import Settler
from lib.gateway.trial import Opened, Trial
from lib.telemetry import redact
from lib.wire import Form


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long the gateway tries: tries of one place, and the longest Retry-After it waits out (seconds)."""

    attempts: int
    longest_wait: float


class Opening:
    """The attempts of one call. `deadline` is on the monotonic clock."""

    def __init__(
        self, call: Call, places: list[Place], circuit: Circuit, persistence: Persistence, settler: Settler
    ) -> None:
        self._call = call
        self._circuit = circuit
        self._settler = settler
        self._longest_wait = persistence.longest_wait
        self._queue = deque(place for _ in range(persistence.attempts) for place in places)
        self._given_up: set[str] = set()
        self._not_before = 0.0
        self._error: AIProxyError | None = None
        self._trial: Trial | None = None

    def step(self, until: float) -> Opened | None:
        """Go on until the clock shows `until`. None: nothing to show yet.

        Raises the error of the last attempt when none is left, `DeadlineExceeded`, `ClientGone`.
        """
        until = min(until, self._call.deadline)
        while True:
            try:
                opened = self._try(until)
            except ClientGone:
                raise
            except AIProxyError as error:
                self._failed(error)
                continue
            if opened is not None:
                return opened
            now = monotonic()
            if now >= self._call.deadline:
                raise DeadlineExceeded(detail=self._error.code if self._error else None)
            if now >= until:
                return None

    def close(self) -> None:
        """Let go of an answer that nobody wants any more."""
        if self._trial is not None:
            self._circuit.let_go(self._trial.place.key)
            self._trial.answer.close()
            self._trial = None

    # ---- one attempt ----

    def _try(self, until: float) -> Opened | None:
        if self._trial is None:
            if self._must_wait(until):
                return None
            self._trial = self._begin()
        trial = self._trial
        opened = trial.advance(min(until, trial.give_up_at))
        if opened is not None:
            self._trial = None
            self._circuit.succeeded(trial.place.key)
            self._call.record.first_byte = monotonic() - self._call.record.started
        return opened

    def _must_wait(self, until: float) -> bool:
        """Whether a pause before the next attempt outlasts `until`; waits for whichever comes first."""
        pause = min(until, self._not_before) - monotonic()
        if pause > 0:
            self._call.client.pause(pause)
            if self._call.client.gone:
                raise ClientGone
        return monotonic() < self._not_before

    def _next_place(self) -> Place:
        """The next place that does not rest. Raises the last error, or 503 when all rest."""
        waits = []
        while self._queue:
            place = self._queue.popleft()
            if place.key not in self._given_up:
                wait = self._circuit.wait(place.key)
                if wait <= 0.0:
                    return place
                waits.append(wait)
        raise self._error or VendorOverloaded(retry_after=min(waits, default=None), detail="every provider rests")

    def _begin(self) -> Trial:
        """Start at the next place that can express what the call asks for."""
        while True:
            place = self._next_place()
            try:
                trial = Trial(place, prepare(self._call, place))
            except Untranslatable as error:
                self._circuit.let_go(place.key)
                self._given_up.add(place.key)
                self._error = self._error or error
                continue
            record = self._call.record
            record.attempts += 1
            record.provider = place.provider.name
            record.model_served = place.model
            self._call.client.on_leave(trial.answer.abort)
            return trial

    # ---- after a failure ----

    def _failed(self, error: AIProxyError) -> None:
        """Note the failure and make room for the next attempt. Raises it when it is final."""
        trial, self._trial = self._trial, None
        if trial is None:
            raise error  # there was nothing left to try
        trial.answer.close()
        error.provider = error.provider or trial.place.provider.name
        error.message = redact(error.message)  # it may be the vendor's own, quoting a key
        self._error = error
        if isinstance(error, VendorRefused) and trial.place.dialect is not self._call.path.dialect:
            error.body = None  # the caller speaks another dialect: only the message is handed on
        if not isinstance(error, (GatewayError, RateLimited)):
            self._circuit.succeeded(trial.place.key)  # it answered: the fault is the caller's
            raise error
        self._settler.attempt_failed(error)
        self._note(trial.place, error)
        if isinstance(self._call.body, Form) and self._call.body.sent:
            raise error  # what was streamed up cannot be sent again
        self._plan_wait(trial.place, error)

    def _note(self, place: Place, error: AIProxyError) -> None:
        if not isinstance(error, RateLimited):
            seconds = self._circuit.failed(place.key) if place.provider.rests else 0.0
            if seconds:
                self._settler.place_rests(place.key, seconds)
        else:
            self._circuit.let_go(place.key)
            if error.retry_after:
                self._circuit.paused(place.key, error.retry_after)
        asked = error.retry_after or 0.0
        if not error.retryable or asked > self._longest_wait:
            self._given_up.add(place.key)

    def _plan_wait(self, failed: Place, error: AIProxyError) -> None:
        """A second try of the same place waits: what it asked for, else a short random time."""
        coming = next((place for place in self._queue if place.key not in self._given_up), None)
        if coming is None or coming.key != failed.key:
            self._not_before = 0.0
        else:
            self._not_before = monotonic() + (error.retry_after or random.uniform(0.05, 0.25))  # noqa: S311  not a secret
