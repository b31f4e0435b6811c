"""From a model's name to the ordered places that may answer for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

from lib.base import BUILT_IN_TIMEOUTS, ModelRow, ModelsFile, Target, Timeouts
from lib.base.errors import BadRequest, NotServed, UnknownModel
from lib.providers import ECHO, Catalog, Provider
from lib.wire import Dialect, Path

MAX_NAME = 256  # characters of a model's name


@dataclass(frozen=True, slots=True)
class Place:
    """One place to try: a provider, the vendor's own name for the model, the dialect it answers in.

    `own_key`: it is called with the caller's key. `tenant` tells one such key from another, without showing it.
    """

    provider: Provider
    model: str
    dialect: Dialect
    timeouts: Timeouts
    own_key: bool = False
    tenant: str = ""

    @property
    def key(self) -> str:
        """The name under which it rests: a vendor's models fail apart from each other, and callers' keys from ours."""
        return f"{self.provider.name}/{self.model}" + (f" (own key {self.tenant})" if self.own_key else "")

    @property
    def maker(self) -> str:
        """Who made the model."""
        return self.provider.maker(self.model)


class Chooser:
    """Reads names by `models.toml`: its own rows, `provider/model`, well-known prefixes, the echo."""

    def __init__(self, models: ModelsFile, catalog: Catalog, pick: Callable[[], float] = random.random) -> None:
        self._models = models
        self._catalog = catalog
        self._pick = pick
        self._defaults = models.defaults.timeouts.over(BUILT_IN_TIMEOUTS)
        self._prefixes = [
            (prefix, name)
            for name, row in models.providers.items()
            for prefix in row.prefixes
            if name in catalog.available or name in catalog.keyless
        ]

    @property
    def default_model(self) -> str | None:
        """What a request that names no model gets: the operator's choice, else echo while offline."""
        return self._models.defaults.model or (ECHO if self._catalog.offline else None)

    def names(self) -> list[str]:
        """The names that can be listed: the file's rows and the echo, as far as callers may use them."""
        return [name for name in (*self._models.models, ECHO) if self._allowed(name)]

    def model_name(self, asked: object) -> str:
        """The model a request asks for. Raises `BadRequest` for a wrong type or when there is none."""
        name = self.default_model if asked is None else asked
        if name is None:
            raise BadRequest("`model` is required.", param="model")
        if not isinstance(name, str) or not name or len(name) > MAX_NAME or not name.isprintable():
            raise BadRequest("`model` must be the name of a model.", param="model")
        return name

    def places(self, name: str, path: Path, *, own_key: bool = False) -> list[Place]:
        """Where to try `name` for `path`, in order; `own_key` says that the call brings a vendor's key.

        Raises `UnknownModel`, or `NotServed` when the model is known but no provider of it serves this path.
        """
        if not self._allowed(name):
            raise UnknownModel(detail="not in the allow list")
        row = self._models.models.get(name)
        place = partial(self._place, path, own_key)
        found = list(self._row_places(row, place)) if row else [place(name, Timeouts())]
        places = [place for place in found if isinstance(place, Place)]
        if places:
            return places
        reasons = "; ".join(str(reason) for reason in found)
        if all(isinstance(reason, _NoPath) for reason in found):
            raise NotServed(f"The provider of this model does not serve {path.route}.", param="model")
        raise UnknownModel(detail=reasons)

    def _allowed(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self._models.defaults.allow)

    def _row_places(self, row: ModelRow, place: Callable[[str, Timeouts], Place | str]) -> Iterator[Place | str]:
        targets = [Target(target) if isinstance(target, str) else target for target in row.targets]
        for target in self._drawn(targets):
            yield place(target.model, row.timeouts)
        for fallback in row.fallbacks:
            yield place(fallback, row.timeouts)

    def _drawn(self, targets: list[Target]) -> list[Target]:
        """One target by weight, then the others by falling weight; weight 0 is never drawn first."""
        ordered = sorted(targets, key=lambda target: -target.weight)
        total = sum(target.weight for target in ordered)
        point = self._pick() * total
        for index, target in enumerate(ordered):
            point -= target.weight
            if point < 0:
                return [target, *ordered[:index], *ordered[index + 1 :]]
        return ordered

    def _place(self, path: Path, own_key: bool, name: str, timeouts: Timeouts) -> Place | str:
        """One name without aliases, or the reason why it leads nowhere."""
        provider_name, model = self._split(name, own_key)
        if provider_name is None:
            return f"no provider for {name!r}"
        provider = self._provider(provider_name, own_key)
        if provider is None:
            return self._catalog.missing.get(provider_name, f"no provider {provider_name!r}")
        row = self._models.providers.get(provider_name)
        if row and not any(fnmatchcase(model, pattern) for pattern in row.allow):
            return f"not in the allow list of {provider_name}"
        dialect = provider.dialect(path)
        if dialect is None:
            return _NoPath(f"{provider_name} does not serve {path.route}")
        base = row.timeouts.over(self._defaults) if row else self._defaults
        return Place(provider, model, dialect, timeouts.over(base), own_key and provider.takes_callers_key)

    def _provider(self, name: str, own_key: bool) -> Provider | None:
        found = self._catalog.available.get(name)
        return self._catalog.keyless.get(name) if found is None and own_key else found

    def _split(self, name: str, own_key: bool) -> tuple[str | None, str]:
        head, slash, rest = name.partition("/")
        if head == ECHO:
            return ECHO, name
        if slash and rest and head in self._models.providers:
            return head, rest
        if name.startswith("bedrock.") and "bedrock" in self._models.providers:
            return "bedrock", name.removeprefix("bedrock.")
        for prefix, provider in self._prefixes:
            if name.startswith(prefix) and self._provider(provider, own_key) is not None:
                return provider, name
        return None, name


class _NoPath(str):
    """The reason that a provider exists and has the model, but not for this path."""
