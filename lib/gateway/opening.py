"""From a call to the first content: the attempts, one after the other.

Until a vendor shows content nothing is owed to the caller, so any fault of a
vendor leads to the next attempt. An `Opening` is advanced in slices of time by
whoever answers the caller, so that pings can be sent and deadlines kept
meanwhile; it holds at most one open answer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from time import monotonic

from lib.base.errors import (
    AIProxyError,
    ClientGone,
    DeadlineExceeded,
    Draining,
    GatewayError,
    RateLimited,
    Untranslatable,
    VendorOverloaded,
    VendorRefused,
    VendorRejectedUs,
)
from lib.gateway.call import Call
from lib.gateway.choose import Place
from lib.gateway.circuit import Circuit
from lib.gateway.faults import clean
from lib.gateway.outgoing import prepare
from lib.gateway.settle import Settler
from lib.gateway.trial import Opened, Trial
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
        self._patience = persistence.longest_wait  # for pauses that other calls were asked for
        self._queue = [place for _ in range(persistence.attempts) for place in places]
        self._given_up: set[str] = set()
        self._not_before: dict[str, float] = {}  # when a place that failed may be tried again
        self._error: AIProxyError | None = None
        self._trial: Trial | None = None

    def step(self, until: float) -> Opened | None:
        """Go on until the clock shows `until`. None: nothing to show yet.

        Raises the error of the last attempt when none is left, `DeadlineExceeded`, `ClientGone`, `Draining`.
        """
        until = min(until, self._call.deadline)
        while True:
            if self._trial is None and monotonic() >= self._call.deadline:
                raise DeadlineExceeded(detail=self._error.code if self._error else None)
            try:
                opened = self._try(until)
            except ClientGone:
                raise self._call.aborted() from None
            except Draining:
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
            place = self._next_place(until)
            if place is None:
                return None
            self._trial = self._begin(place)
            if self._trial is None:
                return None
        trial = self._trial
        opened = trial.advance(until)
        if opened is not None:
            self._trial = None
            self._circuit.succeeded(trial.place.key)
            self._call.record.first_byte = monotonic() - self._call.record.started
        return opened

    def _next_place(self, until: float) -> Place | None:
        """The next place that may be tried, or None after a pause because one may be soon.

        Raises the last error, or `VendorOverloaded`, when no place is left that is worth a wait.
        """
        rests: list[float] = []
        pauses: list[tuple[float, bool]] = []  # seconds, and whether this call itself was asked to wait
        for index, place in enumerate(self._queue):
            if place.key in self._given_up:
                continue
            own = self._not_before.get(place.key, 0.0) - monotonic()
            wait = own if own > 0.0 else self._circuit.wait(place.key)
            if wait <= 0.0:
                del self._queue[index]
                return place
            if own > 0.0 or self._may_wait(place, wait):
                pauses.append((wait, own > 0.0))
            else:
                rests.append(wait)
        soonest, is_own = min(pauses, default=(float("inf"), False))
        if monotonic() + soonest >= self._call.deadline:
            waits = [wait for wait, _ in pauses] + rests
            raise self._error or VendorOverloaded(retry_after=min(waits, default=None), detail="every provider rests")
        waited = self._pause(min(soonest, max(0.0, until - monotonic())))
        if not is_own:
            self._patience -= waited
        return None

    def _may_wait(self, place: Place, seconds: float) -> bool:
        """Whether a place that other calls were asked to leave alone is worth a wait: not for long, not if it fails."""
        return seconds <= self._patience and not self._circuit.rests(place.key)

    def _pause(self, seconds: float) -> float:
        """Wait, and say for how long. Raises `ClientGone`, `Draining`."""
        begin = monotonic()
        self._call.client.pause(seconds)
        if self._call.client.gone or self._call.client.ended:
            raise self._call.aborted()
        return monotonic() - begin

    def _begin(self, place: Place) -> Trial | None:
        """Start at a place; None when it cannot express what the call asks for."""
        try:
            trial = Trial(place, prepare(self._call, place))
        except Untranslatable as error:
            self._circuit.let_go(place.key)
            self._given_up.add(place.key)
            self._error = self._error or error
            return None
        except BaseException:
            self._circuit.let_go(place.key)
            raise
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
        place = trial.place
        trial.answer.close()
        error.provider = error.provider or place.provider.name
        clean(error, self._call.credential)
        self._error = error
        if not isinstance(error, (GatewayError, RateLimited)) or isinstance(error, DeadlineExceeded):
            self._not_the_vendors_fault(place, error)
            raise error
        self._settler.attempt_failed(error, self._call.record)
        self._note(place, error)
        if isinstance(self._call.body, Form) and self._call.body.sent:
            raise error  # what was streamed up cannot be sent again

    def _not_the_vendors_fault(self, place: Place, error: AIProxyError) -> None:
        if not isinstance(error, VendorRefused):
            self._circuit.let_go(place.key)  # it was not asked to the end
            return
        self._circuit.succeeded(place.key)  # it answered
        if place.dialect is not self._call.path.dialect:
            error.body = None  # the caller speaks another dialect: only the message is handed on

    def _note(self, place: Place, error: AIProxyError) -> None:
        if isinstance(error, VendorRejectedUs):
            self._circuit.let_go(place.key)  # our key, or this one prompt: no sign that others would fail
        elif not isinstance(error, RateLimited):
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
        # A second try of the same place waits: what it asked for, else a short random time.
        self._not_before[place.key] = monotonic() + (asked or random.uniform(0.05, 0.25))  # noqa: S311  not a secret
