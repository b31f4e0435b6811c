"""What a run has spent, as agents are told."""

from __future__ import annotations

from typing import Any, Protocol

from lib.access import Caller
from lib.base.errors import RunSpent
from lib.base.money import NANO, show

INFERENCE_CAP = (
    "Your agent version has reached the maximum cost for this evaluation run. "
    "Please do not request more inference from this agent version."
)
EMBEDDING_CAP = (
    "Your agent version has reached the maximum cost for this evaluation run. "
    "Please do not request more embeddings or inference from this agent version."
)


class Spending(Protocol):
    """What a run has cost, what its open calls may still cost, and what it may cost in all, in nano-USD."""

    @property
    def spent(self) -> int: ...

    @property
    def reserved(self) -> int: ...

    @property
    def cap(self) -> int: ...


class RunBooks(Protocol):
    """Knows what runs have spent."""

    def run_spending(self, caller: Caller, run_id: str) -> Spending:
        """What a run of this caller has spent. Raises `StoreUnavailable`."""


def usage(spending: Spending) -> dict[str, Any]:
    """The answer of `GET /api/usage`, in USD. What is reserved counts as neither used nor gone."""
    return {
        "used_cost_usd": spending.spent / NANO,
        "remaining_cost_usd": (spending.cap - spending.spent) / NANO,
        "max_cost_usd": spending.cap / NANO,
        "reserved_cost_usd": spending.reserved / NANO,
    }


def at_cap(spending: Spending) -> bool:
    """Whether a run can pay for no call any more."""
    return spending.spent >= spending.cap


def over_limit(spending: Spending) -> RunSpent:
    """The 429 for a call that a run's cap does not allow; it names limit and cost."""
    open_calls = f", {show(spending.reserved)} USD reserved for open calls" if spending.reserved else ""
    error = RunSpent(
        f"The evaluation run may cost {show(spending.cap)} USD and has cost {show(spending.spent)} USD{open_calls}; "
        "this call could cost more than what is left."
    )
    error.status = 429
    return error
