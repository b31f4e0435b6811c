"""Several calls of one request as one: what the access line says of it, and what the client is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from lib.gateway import Record
from lib.wire import Usage

_COUNTS = [each.name for each in fields(Usage) if each.name != "raw"]


def fold(into: Record, records: Sequence[Record]) -> None:
    """Write into a request's record what its calls did. They are settled, and the sum of them is not settled again."""
    into.settled = True
    if not records:
        return
    last = records[-1]
    into.model_asked, into.model_served, into.provider = last.model_asked, last.model_served, last.provider
    into.run = last.run
    into.admission = next((each.admission for each in reversed(records) if each.admission is not None), None)
    into.attempts = sum(record.attempts for record in records)
    into.gone = any(record.gone for record in records)
    into.usage = total_usage(records)
    into.cost = total_cost(records)
    first = [record.started - into.started + record.first_byte for record in records if record.first_byte is not None]
    into.first_byte = min(first, default=None)


def total_usage(records: Sequence[Record]) -> Usage | None:
    """The tokens of all calls whose vendors counted them; None when none did."""
    known = [record.usage for record in records if record.usage is not None]
    if not known:
        return None
    return Usage(**{name: sum(getattr(usage, name) for usage in known) for name in _COUNTS})


def total_cost(records: Sequence[Record]) -> int | None:
    """What all calls that reached a vendor cost, in nano-USD; None when one has no price."""
    costs = [record.cost for record in records if record.attempts]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def openai_shape(usage: Usage) -> dict[str, int]:
    """The three counts that clients know."""
    prompt, answer = usage.prompt_tokens, usage.output_tokens
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}
