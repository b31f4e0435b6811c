"""The prices in `models.toml`: what an operator may say about the cost of a model, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from decimal import Decimal

import msgspec

DEAREST = 1_000_000  # USD for a million tokens, a call or a second: anything above is a slip of the pen
MOST_DECIMALS = 18
MOST_TOKENS = 100_000_000  # of a context window, or of one answer
_WILD = "*?["


class PriceRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What models matching a row's name cost. USD: `input`, `output` and the cache kinds for a million tokens,
    `call` for each call, `second` for each second that a call takes. `reserve_output` is the number of tokens
    assumed for an answer when the request names no maximum, `context_window` the most a prompt may have."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    call: Decimal | None = None
    second: Decimal | None = None
    free: bool = False
    reserve_output: int | None = None
    context_window: int | None = None

    @property
    def amounts(self) -> dict[str, Decimal]:
        """The prices that the row names."""
        named = ((name, getattr(self, name)) for name in _AMOUNTS)
        return {name: value for name, value in named if value is not None}

    @property
    def has_price(self) -> bool:
        """Whether the row says what something costs; else a price comes from elsewhere."""
        return self.free or bool(self.amounts)


_AMOUNTS = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "call", "second")


def price_faults(rows: Mapping[str, PriceRow], providers: Set[str]) -> Iterator[str]:
    """What is wrong with the rows, each with its place. `providers` are the names that may come before the `/`."""
    for name, row in rows.items():
        place = f'prices."{name}"'
        if not _leads_somewhere(name, providers):
            yield f"{place}: does not begin with a provider and a `/`"
        yield from (f"{place}: {fault}" for fault in _row_faults(row))


def is_pattern(name: str) -> bool:
    """Whether a row's name stands for more than one model."""
    return any(character in name for character in _WILD)


def tokens_fault(value: int) -> str | None:
    """What is wrong with a number of tokens."""
    return None if 1 <= value <= MOST_TOKENS else f"must be a number of tokens from 1 to {MOST_TOKENS}"


def _leads_somewhere(name: str, providers: Set[str]) -> bool:
    head, slash, rest = name.partition("/")
    return is_pattern(head) or (head in providers and (bool(slash and rest) or name == "echo"))


def _row_faults(row: PriceRow) -> Iterator[str]:
    amounts = row.amounts
    for name, value in amounts.items():
        if not (value.is_finite() and 0 <= value <= DEAREST):
            yield f"{name} must be a number of USD from 0 to {DEAREST}"
        elif int(value.as_tuple().exponent) < -MOST_DECIMALS:
            yield f"{name} must have at most {MOST_DECIMALS} decimals"
    if ("input" in amounts) != ("output" in amounts):
        yield "input and output go together (0 where there is none)"
    if "input" not in amounts and any(name.startswith("cache") for name in amounts):
        yield "the cache prices need input and output"
    if row.free and amounts:
        yield "what is free has no other price"
    for name in ("reserve_output", "context_window"):
        value = getattr(row, name)
        fault = None if value is None else tokens_fault(value)
        if fault:
            yield f"{name} {fault}"
    if not row.has_price and row.reserve_output is None and row.context_window is None:
        yield "says nothing"
