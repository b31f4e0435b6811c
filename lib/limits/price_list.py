"""The public price lists of genai-prices, read into rate cards. Nothing else imports that package.

Its data come with it: nothing is fetched. It costs 50 ms and 10 MB, so it waits for the first model that
is looked up. Prices that it gives in units which no usage object counts (pages, messages) are no price here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from lib.limits.price import Price
from lib.limits.rate_card import ZERO, Flat, RateCard, Tier

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, TieredPrices

    Given = Mapping[str, Decimal | TieredPrices]

_PLAIN = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
}
_SPECIAL = {
    "input_audio_mtok": "input_audio",
    "input_image_mtok": "input_image",
    "input_video_mtok": "input_video",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
    "output_video_mtok": "output_video",
    "output_reasoning_mtok": "output_reasoning",
}
_FLAT = {"requests_kcount", "audio_hours", "web_searches_kcount", "input_mchars"}
# Not told apart in any usage object that passes here: they cost what the tokens around them cost, or
# what `audio_hours` says, or nothing (tools of the vendor that it counts elsewhere).
_NOT_COUNTED = {
    "input_audio_hours",
    "cache_audio_read_mtok",
    "cache_image_read_mtok",
    "output_citation_mtok",
    "storage_searches_kcount",
    "social_searches_kcount",
    "code_executions_kcount",
}
_KNOWN = {*_PLAIN, *_SPECIAL, *_FLAT, *_NOT_COUNTED}


def listed(price_list: str, model: str, now: datetime) -> Price | None:
    """What a list says at a moment that a model costs; None without that list, or that model in it.

    The list's own rules decide which names mean a model, and some lists (Azure's) name others whose
    models they resell at the same price. Nothing else is looked at.
    """
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415  slow to load

    lists = get_snapshot().providers
    found = next((each for each in lists if each.id == price_list), None)
    info = found and found.find_model(model, all_providers=lists)
    return _price(info, now) if info else None


def _price(info: ModelInfo, now: datetime) -> Price | None:
    prices = info.get_prices(now)
    given = {name: value for name, value in vars(prices).items() if value is not None}
    if not given.keys() <= _KNOWN:
        return None
    starts = sorted({tier.start for value in given.values() for tier in getattr(value, "tiers", ())})
    return Price(
        "genai-prices",
        rates=_rates(given, -1),
        tiers=tuple(Tier(start, _rates(given, start)) for start in starts),
        flat=_flat(given),
        context_window=info.context_window,
    )


def _rates(given: Given, above: int) -> RateCard:
    """The rates of the tier that begins at `above`. What has no price of its own is part of what is around it."""
    named = {ours: _at(given[theirs], above) for theirs, ours in _PLAIN.items() if theirs in given}
    special = {ours: _at(given[theirs], above) for theirs, ours in _SPECIAL.items() if theirs in given}
    return filled(named, special)


def filled(named: Mapping[str, Decimal], special: Mapping[str, Decimal] | None = None) -> RateCard:
    """RateCard of which some are named: the cache costs what input does, an hour in it what five minutes do."""
    plain = named.get("input", ZERO)
    write = named.get("cache_write", plain)
    return RateCard(
        input=plain,
        output=named.get("output", ZERO),
        cache_read=named.get("cache_read", plain),
        cache_write=write,
        cache_write_1h=named.get("cache_write_1h", write),
        special=special or {},
    )


def _flat(given: Given) -> Flat:
    def base(name: str) -> Decimal:
        return _at(given[name], -1) if name in given else ZERO

    return Flat(
        call=base("requests_kcount") / 1000,
        audio_second=Fraction(base("audio_hours")) / 3600,
        search=base("web_searches_kcount") / 1000,
        characters=base("input_mchars"),
    )


def _at(value: Decimal | TieredPrices, above: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if tier.start <= above]
    return reached[-1] if reached else value.base
