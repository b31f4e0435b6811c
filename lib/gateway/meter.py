"""What a call may cost, before it; what it did cost, after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from lib.base.errors import Forbidden, StoreUnavailable, Unpriced
from lib.gateway.call import NOTHING_PRODUCED, Call, Record
from lib.gateway.choose import Place
from lib.ledger import MOST_COST, Books, Exactness, Facts, Outcome
from lib.limits import (
    Estimate,
    Price,
    Prices,
    Rates,
    Taken,
    budget_lines,
    estimate,
    estimated_usage,
    exceeded,
    refuse_hidden_costs,
    run_line,
    tells_all,
    unseen,
)
from lib.stores import Line, Overdrawn, Reservation, Standing
from lib.telemetry import get_logger
from lib.wire import Shape, Usage

log = get_logger("aiproxy.meter")

TOKENS_PER_SECOND = 50  # that a vendor is taken to produce, before anything comes, for a caller who leaves
UNPRICED = Price("free")  # for the estimate's tokens
_SELDOM_COUNTED = frozenset({Shape.SPEECH, Shape.TRANSCRIPTION, Shape.IMAGE})  # sold by the piece or the second
WhenDown = Literal["refuse", "allow"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator decides: `run_cap` in nano-USD, `run_ttl` in milliseconds, tokens of an answer without a
    maximum and of a prompt that is not all in the request, and what happens to calls with and without a budget while
    the database is away."""

    run_cap: int
    run_ttl: int
    reserve_output: int
    reserve_input: int
    budgets_when_down: WhenDown
    ledger_when_down: WhenDown


@dataclass(frozen=True, slots=True)
class Admission:
    """What was taken for a call: its reservation, its share of the rates, and the estimate both were made from."""

    meter: Meter
    reservation: Reservation
    estimate: Estimate
    shape: Shape
    taken: Taken | None

    def settle(self, record: Record) -> None:
        """Settle the call with the meter that admitted it: a reload of the prices does not change its own."""
        self.meter.settle(self, record)

    def headers(self) -> list[tuple[str, str]]:
        """What the caller is told of its rates."""
        return list(self.taken.headers()) if self.taken is not None else []


class Meter:
    """Admits calls to their budgets and rates, and settles them."""

    def __init__(self, books: Books, prices: Prices, rates: Rates, terms: Terms) -> None:
        self._books = books
        self._prices = prices
        self._rates = rates
        self._terms = terms

    def admit(self, call: Call, places: list[Place]) -> list[Place]:
        """Take what the call may need at most; the places that it may be sent to.

        Raises `Forbidden`, `Unpriced`, `RateLimited`, `BudgetExceeded`, `StoreUnavailable`; then nothing is taken but
        the request that was counted.
        """
        caller, record = call.caller, call.record
        assert record.model_asked is not None
        if not caller.may_call(record.model_asked):
            raise Forbidden("This key may not call this model.", param="model")
        now = self._books.clock()
        lines = self._lines(call, now)
        priced = [(place, self._prices.price(place.provider.name, place.model)) for place in places]
        if lines:
            refuse_hidden_costs(call.path, call.body)
            priced = [(place, price) for place, price in priced if price is not None]
            if not priced:
                raise Unpriced(param="model")
            priced = [(place, price) for place, price in priced if price and tells_all(call.path, call.body, price)]
            if not priced:
                raise Unpriced("The sound that this model would answer with has no price here.", param="modalities")
        worst = self._worst(call, [price for _, price in priced])
        if lines and worst.cost_nano:
            call.most_tokens = worst.assumed
        taken = None
        if caller.rpm is not None or caller.tpm is not None:
            taken = self._rates.take(caller.owner, caller.rpm, caller.tpm, worst.input_tokens + worst.output_tokens)
        try:
            reservation = self._reserve(worst.cost_nano, lines, _facts(call, now))
        except BaseException:
            if taken is not None:
                self._rates.correct(taken, 0)
            raise
        record.admission = Admission(self, reservation, worst, call.path.shape, taken)
        return [place for place, _ in priced]

    def settle(self, admission: Admission, record: Record) -> None:
        """Write down what a call was and what it cost. Never raises."""
        if record.attempts == 0:
            self._books.release(admission.reservation)
            if admission.taken is not None:
                self._rates.correct(admission.taken, 0)
            return
        seconds = monotonic() - record.started
        usage, cost, exactness = self._charge(record, admission, seconds)
        cost = min(cost, MOST_COST)
        record.cost = None if exactness == "unpriced" else cost
        record.exactness = exactness
        self._books.close(
            admission.reservation,
            Outcome(
                model_served=record.model_served,
                provider=record.provider,
                attempts=record.attempts,
                status=record.status,
                error=record.error,
                usage=usage,
                cost=cost,
                exactness=exactness,
                first_byte=record.first_byte,
                seconds=seconds,
                gone=record.gone,
            ),
        )
        if admission.taken is not None:
            tokens = 0 if usage is None else usage.prompt_tokens + usage.output_tokens
            self._rates.correct(admission.taken, tokens)

    def run(self, owner: str, run: str) -> Standing:
        """What a run has spent. Raises `StoreUnavailable`."""
        return self._books.standings((self._run_line(owner, run, self._books.clock()),))[0]

    # ---- before ----

    def _lines(self, call: Call, now: int) -> tuple[Line, ...]:
        caller = call.caller
        lines = budget_lines(caller.owner, caller.budgets, now)
        return lines if call.run is None else (*lines, self._run_line(caller.owner, call.run, now))

    def _run_line(self, owner: str, run: str, now: int) -> Line:
        return run_line(owner, run, self._terms.run_cap, now, self._terms.run_ttl)

    def _worst(self, call: Call, prices: Sequence[Price | None]) -> Estimate:
        """The dearest of the places that may be tried; `assumed` is the least of theirs, as it holds for all."""
        terms = self._terms.reserve_output, self._terms.reserve_input, unseen(call.body)
        estimates = [estimate(call.path, call.body, price or UNPRICED, *terms) for price in prices]
        if len(estimates) == 1:
            return estimates[0]
        dearest = max(estimates, key=lambda each: each.cost_nano)
        return replace(dearest, assumed=min((e.assumed for e in estimates if e.assumed is not None), default=None))

    def _reserve(self, amount: int, lines: tuple[Line, ...], facts: Facts) -> Reservation:
        try:
            return self._books.open(amount, lines, facts)
        except Overdrawn as error:
            raise exceeded(error.standing, amount) from None
        except StoreUnavailable as error:
            if (self._terms.budgets_when_down if lines else self._terms.ledger_when_down) == "refuse":
                raise
            log.error(
                "a call is let through while the books are away", request_id=facts.request_id, detail=error.detail
            )
            return self._books.unwritten(amount, lines, facts)

    # ---- after ----

    def _charge(self, record: Record, admission: Admission, seconds: float) -> tuple[Usage | None, int, Exactness]:
        """The usage to write down, the cost in nano-USD, and how sure both are."""
        assert record.provider is not None
        assert record.model_served is not None
        price = self._prices.price(record.provider, record.model_served)
        usage, exactness = _used(record, admission.estimate, monotonic())
        if usage is None:
            return None, 0, "exact"
        if price is None:
            return usage, 0, "unpriced"
        if exactness == "estimated" and admission.shape in _SELDOM_COUNTED:
            return usage, admission.estimate.cost_nano, exactness
        return usage, price.cost(usage, seconds), exactness


def _facts(call: Call, now: int) -> Facts:
    caller, record = call.caller, call.record
    return Facts(
        time=now,
        request_id=record.request_id,
        caller=caller.name,
        key=caller.key,
        run=call.run,
        tags=caller.tags,
        family=record.family or call.path.dialect.value,
        route=record.route or call.path.route,
        model_asked=record.model_asked or "",
        stream=record.stream,
    )


def _used(record: Record, worst: Estimate, now: float) -> tuple[Usage | None, Exactness]:
    """What a call used. None, exactly nothing, when it failed before any content.

    Without the vendor's closing count it is estimated: from what a stream brought, and for a caller who left
    also from how long the vendor had worked before anything came.
    """
    if record.usage is not None and record.usage_is_final:
        return record.usage, "exact"
    if record.first_byte is None:
        if not record.gone or record.working_since is None:
            return None, "exact"
        guess = Usage(worst.input_tokens, _within(now - record.working_since, worst))
    else:
        guess = estimated_usage(worst.input_tokens, *(record.produced if worst.output_tokens else NOTHING_PRODUCED))
        if record.gone:  # before it wrote it may have thought, unseen: else whoever leaves at the end pays no thought
            first = record.started + record.first_byte - (record.working_since or record.started)
            guess = replace(guess, output_tokens=guess.output_tokens + _within(first, worst))
    known = record.usage or guess
    return replace(known, output_tokens=max(known.output_tokens, guess.output_tokens)), "estimated"


def _within(seconds: float, worst: Estimate) -> int:
    """Tokens that a vendor is taken to produce in a time."""
    return min(worst.output_tokens, int(max(0.0, seconds) * TOKENS_PER_SECOND))
