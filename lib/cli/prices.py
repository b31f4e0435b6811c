"""Show what models cost at every place that their names lead to: `bin/prices MODEL...`.

Names are read as the server reads them, as if every provider had its key. Exit status: 0 when every place has a
price, 1 when a name is unknown, a place has no price or the settings are wrong, 2 for unknown arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from lib.base import Settings, SettingsError, load, load_models
from lib.base.errors import BadRequest, UnknownModel
from lib.cli.ending import leave
from lib.cli.text_table import aligned
from lib.gateway import Chooser
from lib.limits import Price, RateCard, row_name
from lib.net import HttpClient
from lib.providers import build_catalog
from lib.wire import Shape, path_of
from lib.wiring import build_prices

CONFIG_FILE = "config.txt"
_FLAT = {
    "call": ("per_call", "each call"),
    "second": ("per_second", "each second that a call takes"),
    "audio_second": ("per_audio_second", "each second of audio that the vendor's usage names"),
    "search": ("per_search", "each web search that the vendor's usage names"),
    "characters": ("per_million_characters", "a million characters to speak"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the prices; the exit status."""
    parser = argparse.ArgumentParser(
        prog="bin/prices",
        description="Show what models cost in USD, from where that is known, and how long a prompt may be. The exit "
        "status is 1 when a name is unknown or has no price. Needs no key and no network.",
    )
    parser.add_argument("models", metavar="MODEL", nargs="+", help="a name as callers write it")
    parser.add_argument("--json", action="store_true", help="one JSON list instead, amounts as strings")
    given = parser.parse_args(argv)
    try:
        found = Shown(load(os.environ, CONFIG_FILE, serves=False)).models(given.models)
    except SettingsError as error:
        for fault in str(error).splitlines():
            print(f"wrong: {fault}", file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2) if given.json else "\n\n".join(_text(model) for model in found))
    return 0 if all(_is_priced(model) for model in found) else 1


class Shown:
    """Prices as values that JSON can hold. Raises `SettingsError` for a bad models file."""

    def __init__(self, settings: Settings) -> None:
        models = load_models(settings.models_file)
        no_keys = settings.model_copy(update={"mock_model_responses": True})
        self._chooser = Chooser(models, build_catalog(models, no_keys, HttpClient()), pick=lambda: 0.0)
        self._prices = build_prices(settings, models)

    def models(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """One entry for each name: `model`, and either `places` or `error`."""
        return [self._model(name) for name in names]

    def _model(self, name: str) -> dict[str, Any]:
        try:
            places = self._chooser.places(self._chooser.model_name(name), path_of(Shape.CHAT))
        except (UnknownModel, BadRequest) as error:
            return {"model": name, "error": error.detail or error.message}
        unique = dict.fromkeys((place.provider.name, place.model) for place in places)
        return {"model": name, "places": [self._place(*place) for place in unique]}

    def _place(self, provider: str, model: str) -> dict[str, Any]:
        price = self._prices.price(provider, model)
        return {"provider": provider, "model": model, **(_card(price) if price else {"source": None})}


def _card(price: Price) -> dict[str, Any]:
    return {
        "source": price.source,
        "free": price.is_free,
        "context_window": price.context_window,
        "reserve_output": price.reserve_output,
        "per_million_tokens": _rates(price.rates),
        "tiers": [{"above": tier.above, "per_million_tokens": _rates(tier.rates)} for tier in price.tiers],
        **{_FLAT[name][0]: _amount(value) for name, value in price.flat._asdict().items() if value},
    }


def _rates(rates: RateCard) -> dict[str, str]:
    return {name: _amount(value) for name, value in {**rates.plain, **rates.special}.items()}


def _amount(value: Decimal | Fraction) -> str:
    """USD without an exponent and without idle zeros; what has no end in decimals, to 12 of them."""
    exact = value if isinstance(value, Decimal) else Decimal(value.numerator) / Decimal(value.denominator)
    text = f"{exact:f}" if isinstance(value, Decimal) else f"{exact:.12f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _is_priced(model: dict[str, Any]) -> bool:
    return "places" in model and all(place["source"] for place in model["places"])


def _text(model: dict[str, Any]) -> str:
    if "error" in model:
        return f"{model['model']}: unknown: {model['error']}"
    return "\n".join([model["model"], *(line for place in model["places"] for line in _place_lines(place))])


def _place_lines(place: dict[str, Any]) -> Iterator[str]:
    name = row_name(place["provider"], place["model"])
    if place["source"] is None:
        yield f'  {name}: no price is known; a row [prices."{name}"] in models.toml sets one'
        return
    window = f", prompts up to {place['context_window']:,} tokens" if place["context_window"] else ""
    yield f"  {name}: {'free' if place['free'] else 'from ' + place['source']}{window}"
    if place["reserve_output"]:
        yield f"    an answer is assumed to have {place['reserve_output']:,} tokens"
    if any(rate != "0" for rate in place["per_million_tokens"].values()):
        yield from _table(place)
    for key, words in _FLAT.values():
        if key in place:
            yield f"    {place[key]} for {words}"


def _table(place: dict[str, Any]) -> Iterator[str]:
    """USD for a million tokens: a column for each kind of token, a line for each tier."""
    columns = list(place["per_million_tokens"])
    rows = [["USD per million tokens", *(column.replace("_", " ") for column in columns)]]
    rows.append(["", *place["per_million_tokens"].values()])
    for tier in place["tiers"]:
        rows.append([f"prompts above {tier['above']:,}", *tier["per_million_tokens"].values()])
    for line in aligned(rows, numbers=True):
        yield f"    {line}"


if __name__ == "__main__":
    leave(main)
