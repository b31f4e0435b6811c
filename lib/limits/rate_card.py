"""RateCard as a person reads them, and as whole numbers over one denominator, in which calls are priced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from lib.wire import side

ZERO = Decimal(0)
_NANO = 10**9  # nano-USD in a dollar
_NANO_IN_MILLIONTH = 1000  # nano-USD for one, from USD for a million


@dataclass(frozen=True, slots=True)
class RateCard:
    """USD for a million tokens. `special` holds what replaces `input` or `output` for some of the tokens,
    by the names of `lib.wire.COUNTS`."""

    input: Decimal = ZERO
    output: Decimal = ZERO
    cache_read: Decimal = ZERO
    cache_write: Decimal = ZERO
    cache_write_1h: Decimal = ZERO
    special: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def plain(self) -> dict[str, Decimal]:
        """The rates that every card has, in the order of `Step`."""
        return {name: getattr(self, name) for name in PLAIN}


PLAIN = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


class Tier(NamedTuple):
    """RateCard for calls whose whole prompt has more than `above` tokens."""

    above: int
    rates: RateCard


class Flat(NamedTuple):
    """What does not go by tokens: USD for each call, second of the call, second of audio in the prompt, web
    search, and for a million characters to speak."""

    call: Decimal = ZERO
    second: Decimal = ZERO
    audio_second: Fraction | Decimal = ZERO
    search: Decimal = ZERO
    characters: Decimal = ZERO


class Step(NamedTuple):
    """One tier in units: each token costs so many. `special`: a count's name, and how much more (or less) than
    a plain one such a token costs; `dearest_*`: the most that any token can cost."""

    above: int
    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    special: tuple[tuple[str, int], ...]
    dearest_input: int
    dearest_output: int


class FlatUnits(NamedTuple):
    """`Flat` in units: for a call, a millionth of a second (twice), a search, a character."""

    call: int
    second: int
    audio_second: int
    search: int
    characters: int


class Units(NamedTuple):
    """A card in units of 1 / `per` nano-USD. `steps` fall; the last one holds for every prompt."""

    per: int
    steps: tuple[Step, ...]
    flat: FlatUnits


def compiled(tiers: Sequence[Tier], flat: Flat) -> Units:
    """A card's rates over one denominator, exactly. `tiers` rise; the first one is for every prompt."""
    nano = [
        Fraction(flat.call) * _NANO,
        Fraction(flat.second) * _NANO_IN_MILLIONTH,
        Fraction(flat.audio_second) * _NANO_IN_MILLIONTH,
        Fraction(flat.search) * _NANO,
        Fraction(flat.characters) * _NANO_IN_MILLIONTH,
    ]
    tokens = [_nano(rate) for tier in tiers for rate in _every(tier.rates)]
    per = lcm(*(rate.denominator for rate in (*nano, *tokens)))
    steps = tuple(_step(tier, per) for tier in reversed(tiers))
    return Units(per, steps, FlatUnits(*(int(rate * per) for rate in nano)))


def rounded(units: int, per: int) -> int:
    """Units in nano-USD, half to even."""
    whole, rest = divmod(units, per)
    twice = 2 * rest
    return whole + (twice > per or (twice == per and whole & 1))


def _step(tier: Tier, per: int) -> Step:
    units = {name: int(_nano(rate) * per) for name, rate in tier.rates.plain.items()}
    special = {name: int(_nano(rate) * per) for name, rate in tier.rates.special.items()}

    def dearest(which: str) -> int:
        return max(units[which], *(rate for name, rate in special.items() if side(name) == which), 0)

    return Step(
        tier.above,
        **units,
        special=tuple((name, rate - units[side(name)]) for name, rate in special.items()),
        dearest_input=dearest("input"),
        dearest_output=dearest("output"),
    )


def _every(rates: RateCard) -> Iterable[Decimal]:
    return (*rates.plain.values(), *rates.special.values())


def _nano(rate: Decimal) -> Fraction:
    """What one token costs in nano-USD."""
    return Fraction(rate) * _NANO_IN_MILLIONTH
