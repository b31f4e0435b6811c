"""Which price holds for a model: the rows of `models.toml`, then the provider's public list."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from lib.base import ModelsFile, PriceRow, is_pattern
from lib.limits.price import Price
from lib.limits.price_list import filled, listed
from lib.limits.rate_card import ZERO, Flat

SECONDS = 60  # a price is looked up anew after so long: lists have prices for some hours, or from some day on
MOST_KNOWN = 2000  # names that are remembered: a caller can make up any number
_ECHO = "echo"  # the built-in provider, which costs nothing


class Prices:
    """The prices of a models file, remembered by name. `clock` gives seconds since 1970."""

    def __init__(self, models: ModelsFile, clock: Callable[[], float] = time.time) -> None:
        self._rows = _by_rank(models.prices)
        self._lists = {
            name: name if row.price_list is None else row.price_list for name, row in models.providers.items()
        }
        self._clock = clock
        self._known: dict[tuple[str, str], Price | None] = {}
        self._since = 0

    def price(self, provider: str, model: str) -> Price | None:
        """What `model`, by the vendor's own name, costs at `provider` now; None when nobody says."""
        now = int(self._clock()) // SECONDS
        if now != self._since or len(self._known) > MOST_KNOWN:
            self._since, self._known = now, {}
        key = (provider, model)
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._look_up(provider, model, now * SECONDS)
            return found

    def _look_up(self, provider: str, model: str, now: int) -> Price | None:
        name = row_name(provider, model)
        rows = [row for pattern, row in self._rows if fnmatchcase(name, pattern)]
        own = next((row for row in rows if row.has_price), None)
        price = self._listed(provider, model, now)
        if own:
            price = _of_row(own, price.context_window if price else None)
        if price is None:
            return None
        return replace(
            price,
            reserve_output=next((row.reserve_output for row in rows if row.reserve_output), None),
            context_window=next((row.context_window for row in rows if row.context_window), price.context_window),
        )

    def _listed(self, provider: str, model: str, now: int) -> Price | None:
        if provider == _ECHO:
            return Price("free")
        price_list = self._lists.get(provider)
        return listed(price_list, model, datetime.fromtimestamp(now, UTC)) if price_list else None


def row_name(provider: str, model: str) -> str:
    """The name by which a row of `models.toml` prices a model."""
    return model if provider == _ECHO else f"{provider}/{model}"


def _by_rank(rows: Mapping[str, PriceRow]) -> list[tuple[str, PriceRow]]:
    """Full names first, then by falling number of characters that stand for themselves."""

    def rank(item: tuple[str, PriceRow]) -> tuple[bool, int]:
        name = item[0]
        return is_pattern(name), -sum(character not in "*?[]" for character in name)

    return sorted(rows.items(), key=rank)


def _of_row(row: PriceRow, context_window: int | None) -> Price:
    amounts = row.amounts
    return Price(
        "free" if row.free else "models.toml",
        rates=filled(amounts),
        flat=Flat(call=amounts.get("call", ZERO), second=amounts.get("second", ZERO)),
        context_window=context_window,
    )
