"""`models.toml`: which vendors there are, and what a model's name means.

The types below are the file's grammar: an unknown key or a wrong type is
refused with its place. `load_models` also checks what no type can say.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import msgspec

from lib.base.price_rows import PriceRow, price_faults, tokens_fault
from lib.base.settings import SettingsError


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds. `connect` includes TLS; `first_byte` runs from sending to the first content;
    `idle` between two reads of a stream; `total` is bounded by REQUEST_TIMEOUT_SECONDS too."""

    connect: float | None = None
    first_byte: float | None = None
    idle: float | None = None
    total: float | None = None

    def over(self, base: Timeouts) -> Timeouts:
        """These values where set, `base`'s where not."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return Timeouts(**{name: getattr(base, name) if value is None else value for name, value in pairs})


def setting_prefix(provider: str) -> str:
    """How the names of a provider's settings begin."""
    return provider.upper().replace("-", "_")


class ProviderRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One vendor. `key` names the setting that holds its key (default `<NAME>_API_KEY`, "" for none), `address`
    the one that moves its `base_url` (default `<NAME>_BASE_URL`); `prefixes` are the beginnings of bare model
    names that go to it; `shapes` what it serves ("*" for every path); `token_limit` what its chat completions
    call the limit of new tokens; `price_list` whose prices hold for it (default its own name, "" for none);
    `callers_key` whether a call may bring a key of its own for it; `title` how its name is written."""

    kind: Literal["openai", "anthropic", "bedrock"] = "openai"
    base_url: str = ""
    key: str | None = None
    address: str | None = None
    auth: Literal["bearer", "api-key", "x-api-key"] = "bearer"
    prefixes: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ("chat", "embedding")
    allow: tuple[str, ...] = ("*",)
    headers: dict[str, str] = {}
    timeouts: Timeouts = Timeouts()
    usage_in_streams: bool = True
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    price_list: str | None = None
    callers_key: bool = False
    title: str = ""

    def key_setting(self, name: str) -> str:
        """The setting that holds the key of this row, which has this name; empty when it needs none."""
        if self.kind == "bedrock":
            return ""
        return f"{setting_prefix(name)}_API_KEY" if self.key is None else self.key

    def address_setting(self, name: str) -> str:
        """The setting that moves its address."""
        return self.address or f"{setting_prefix(name)}_BASE_URL"


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place a model may be answered from: `model` is `provider/model`."""

    model: str
    weight: float = 1.0


class ModelRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name callers may use. One of `targets` is tried first, chosen by weight; then the
    others by falling weight; then `fallbacks` in their order."""

    targets: tuple[str | Target, ...]
    fallbacks: tuple[str, ...] = ()
    timeouts: Timeouts = Timeouts()


class Rest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a provider rests: after `failures` in a row, for `seconds`, doubling up to `longest`."""

    failures: int = 5
    seconds: float = 5.0
    longest: float = 60.0


class Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds unless a row says otherwise. `attempts` counts tries of one target; a wait for
    Retry-After longer than `longest_wait` seconds is left to the caller; `reserve_output` is the number of
    tokens assumed for an answer when neither the request nor the model's price names one, `reserve_input` for a prompt
    that refers to what is not in the request, when nobody says how long the model's prompts may be."""

    model: str | None = None
    allow: tuple[str, ...] = ("*",)
    attempts: int = 2
    longest_wait: float = 2.0
    reserve_output: int = 4096
    reserve_input: int = 200_000
    timeouts: Timeouts = Timeouts()


class AgentsRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What agents may call, by patterns of the names they ask for. The two defaults are for requests that name no
    model; while no vendor has a key, the echo stands in for them."""

    models: tuple[str, ...] = ()
    embedding_models: tuple[str, ...] = ()
    default_model: str | None = None
    default_embedding_model: str | None = None


class AssessmentRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What grades programs when a request names no model; see `[assessment]` of models.toml."""

    default_model: str | None = None


class ModelsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    defaults: Defaults = Defaults()
    rest: Rest = Rest()
    providers: dict[str, ProviderRow] = {}
    models: dict[str, ModelRow] = {}
    prices: dict[str, PriceRow] = {}
    agents: AgentsRow = AgentsRow()
    assessment: AssessmentRow = AssessmentRow()

    def names(self) -> set[str]:
        """What models are called in it: by callers, and by the vendors that serve them."""
        places = [place for row in self.models.values() for place in (*row.targets, *row.fallbacks)]
        full = [place.model if isinstance(place, Target) else place for place in places]
        return {*self.models, *(name.partition("/")[2] or name for name in full)}

    def key_settings(self) -> list[str]:
        """The settings that hold the keys of its vendors, each once."""
        named = (row.key_setting(name) for name, row in self.providers.items())
        return list(dict.fromkeys(name for name in named if name))


BUILT_IN_TIMEOUTS = Timeouts(connect=5.0, first_byte=300.0, idle=120.0, total=None)


def load_models(path: Path) -> ModelsFile:
    """Read and check the file. Raises `SettingsError` with the file's name and the place of the fault."""
    try:
        with path.open("rb") as file:
            models = msgspec.convert(tomllib.load(file, parse_float=Decimal), ModelsFile)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}") from None
    except (ArithmeticError, ValueError):  # from Decimal and int, over numbers of thousands of digits
        raise SettingsError(f"{path}: a number is out of range") from None
    faults = list(_faults(models))
    if faults:
        raise SettingsError("\n".join(f"{path}: {fault}" for fault in faults))
    return models


def _faults(models: ModelsFile) -> list[str]:
    """What no type can say, each with its place."""
    faults = [
        f"providers.{name}: not a name a provider may have"
        for name in models.providers
        if name == "echo" or not name or "/" in name
    ]
    known = {*models.providers, "echo"}
    for name, model in models.models.items():
        faults += _model_faults(f"models.{name}", model, known)
    timeouts = {"defaults": models.defaults.timeouts}
    timeouts |= {f"providers.{name}": provider.timeouts for name, provider in models.providers.items()}
    timeouts |= {f"models.{name}": model.timeouts for name, model in models.models.items()}
    for place, given in timeouts.items():
        faults += [
            f"{place}.timeouts.{name}: must be a number of seconds above 0"
            for name, seconds in msgspec.structs.asdict(given).items()
            if seconds is not None and not 0 < seconds < math.inf
        ]
    if models.defaults.attempts < 1:
        faults.append("defaults.attempts: must be at least 1")
    if not 0 <= models.defaults.longest_wait < math.inf:
        faults.append("defaults.longest_wait: must be a number of seconds, 0 or more")
    for name in ("reserve_output", "reserve_input"):
        if fault := tokens_fault(getattr(models.defaults, name)):
            faults.append(f"defaults.{name}: {fault}")
    faults += price_faults(models.prices, known)
    faults += _agents_faults(models.agents)
    rest = models.rest
    if rest.failures < 1 or not 0 < rest.seconds <= rest.longest < math.inf:
        faults.append("rest: failures must be at least 1, and seconds above 0 and not above longest")
    return faults


def _agents_faults(agents: AgentsRow) -> Iterator[str]:
    defaults = (
        ("default_model", agents.default_model, agents.models),
        ("default_embedding_model", agents.default_embedding_model, agents.embedding_models),
    )
    for field, name, patterns in defaults:
        if name is not None and not any(fnmatchcase(name, pattern) for pattern in patterns):
            yield f"agents.{field}: `{name}` is not among the models that agents may call"


def _model_faults(place: str, model: ModelRow, known: set[str]) -> list[str]:
    targets = [target if isinstance(target, Target) else Target(target) for target in model.targets]
    faults = [] if targets else [f"{place}: targets is empty"]
    for name in (*(target.model for target in targets), *model.fallbacks):
        provider, _, rest = name.partition("/")
        if provider not in known:
            faults.append(f"{place}: `{name}` does not begin with a provider")
        elif not rest and name != "echo":
            faults.append(f"{place}: `{name}` names no model")
    if not all(0 <= target.weight < math.inf for target in targets):
        faults.append(f"{place}: a weight must be a number, 0 or more")
    return faults
