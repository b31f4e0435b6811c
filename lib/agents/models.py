"""Which models agents may call, what those cost, and what stands in for a name that was not given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

from lib.access import Caller
from lib.base import AgentsRow, is_pattern
from lib.base.errors import NotServed, UnknownModel
from lib.gateway import Chooser
from lib.wire import EMBED, Path, Shape, path_of

CHAT = path_of(Shape.CHAT)
EMBEDDINGS = path_of(Shape.EMBEDDING)
BUILT_IN = "echo"


class _Rates(Protocol):
    @property
    def input(self) -> Decimal: ...

    @property
    def output(self) -> Decimal: ...


class _Flat(Protocol):
    @property
    def second(self) -> Decimal: ...


class Price(Protocol):
    """What of a model's price agents are shown. USD for a million tokens, and for a second."""

    @property
    def rates(self) -> _Rates: ...

    @property
    def flat(self) -> _Flat: ...

    @property
    def context_window(self) -> int | None: ...


class Prices(Protocol):
    """Knows what models cost."""

    def price(self, provider: str, model: str) -> Price | None:
        """What a model, by the vendor's own name, costs; None when nobody says."""


class Offer(NamedTuple):
    """A model that agents may call: the name they ask for, the vendor's own, and its price."""

    name: str
    external_name: str
    price: Price


class Models:
    """The models of agents, by the `[agents]` table of `models.toml`.

    `known` are names worth listing when a pattern matches them. `offline`: no vendor has a key, so the echo may
    be called and stands in for a default that cannot be reached.
    """

    def __init__(
        self, rows: AgentsRow, chooser: Chooser, prices: Prices, *, known: Iterable[str] = (), offline: bool = False
    ) -> None:
        more = (BUILT_IN, f"{BUILT_IN}/*") if offline else ()
        self.chat = Kind((*rows.models, *more), (CHAT,), chooser, prices, tuple(known))
        self.embedding = Kind((*rows.embedding_models, *more), (EMBEDDINGS, EMBED), chooser, prices, tuple(known))
        self._rows = rows
        self._offline = offline

    def default_model(self, caller: Caller) -> str | None:
        """The chat model for a request that names none."""
        return self._default(self.chat, self._rows.default_model, caller)

    def default_embedding_model(self, caller: Caller) -> str | None:
        """The embedding model for a request that cannot name one."""
        return self._default(self.embedding, self._rows.default_embedding_model, caller)

    def _default(self, kind: Kind, name: str | None, caller: Caller) -> str | None:
        if self._offline and (name is None or kind.offer(name, caller) is None):
            return BUILT_IN
        return name


class Kind:
    """The models of one kind. `paths` are the ways to call one, the usual one first."""

    def __init__(
        self,
        patterns: tuple[str, ...],
        paths: Sequence[Path],
        chooser: Chooser,
        prices: Prices,
        known: tuple[str, ...],
    ) -> None:
        self._patterns = patterns
        self._paths = paths
        self._chooser = chooser
        self._prices = prices
        self._known = known

    def allows(self, name: str, caller: Caller) -> bool:
        """Whether a caller may ask for a name; it may still lead nowhere."""
        return caller.may_call(name) and any(fnmatchcase(name, pattern) for pattern in self._patterns)

    def path(self, name: str, first: Path | None = None) -> Path:
        """The way to call a model: the first of `paths` that it is served on, or `first` if it can be.

        Raises `UnknownModel`, `NotServed`.
        """
        *others, last = sorted(self._paths, key=lambda path: path is not first) if first else self._paths
        for path in others:
            with suppress(NotServed):
                self._chooser.places(name, path)
                return path
        self._chooser.places(name, last)
        return last

    def offer(self, name: str, caller: Caller) -> Offer | None:
        """What a name leads to first, with its price; None when this caller cannot call it."""
        if not self.allows(name, caller):
            return None
        try:
            places = self._chooser.places(name, self.path(name))
        except (UnknownModel, NotServed):
            return None
        for place in places:
            price = self._prices.price(place.provider.name, place.model)
            if price is not None:
                return Offer(name, place.model, price)
        return None

    def offers(self, caller: Caller) -> list[Offer]:
        """Every model with a name of its own that this caller can call."""
        return [offer for name in self._names() if (offer := self.offer(name, caller))]

    def names(self, caller: Caller) -> list[str]:
        """Their names."""
        return [offer.name for offer in self.offers(caller)]

    def _names(self) -> Iterator[str]:
        named = (name for name in self._patterns if not is_pattern(name))
        return iter(dict.fromkeys((*named, *self._chooser.names(), *self._known)))


def chat_row(offer: Offer) -> dict[str, Any]:
    """A row of `GET /api/inference-models`."""
    return {
        "name": offer.name,
        "external_name": offer.external_name,
        "max_input_tokens": offer.price.context_window,
        "cost_usd_per_million_input_tokens": float(offer.price.rates.input),
        "cost_usd_per_million_output_tokens": float(offer.price.rates.output),
    }


def embedding_row(offer: Offer) -> dict[str, Any]:
    """A row of `GET /api/embedding-models`."""
    row = {"name": offer.name, "external_name": offer.external_name, "max_input_tokens": offer.price.context_window}
    if offer.price.flat.second:
        return row | {"pricing_mode": "per_second", "cost_usd_per_second": float(offer.price.flat.second)}
    return row | {"pricing_mode": "per_token", "cost_usd_per_million_input_tokens": float(offer.price.rates.input)}
