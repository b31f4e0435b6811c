"""From rows of `models.toml` to providers that can be called.

A vendor that speaks a known dialect is one row there. A new dialect is one
file beside this one and one entry in `_KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lib.base import ModelsFile, ProviderRow, Settings, SettingsError
from lib.base.errors import NotFound
from lib.net import HttpClient, Origin
from lib.providers.base import Provider
from lib.providers.bedrock import BedrockProvider
from lib.providers.echo import EchoProvider
from lib.providers.vendor import HttpProvider, Vendor
from lib.wire import PATHS, Dialect, Shape

ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The providers that can be called, by name, and why the others cannot (setting names, no values).

    `keyless` are those of the others that a call with a key of its own may reach.
    """

    available: Mapping[str, Provider]
    missing: Mapping[str, str] = field(default_factory=dict)
    keyless: Mapping[str, Provider] = field(default_factory=dict)

    @property
    def offline(self) -> bool:
        """Whether no vendor holds a key, so that only the built-in echo answers by default."""
        return not any(isinstance(provider, HttpProvider) for provider in self.available.values())

    def list_models(self, name: str) -> list[dict[str, Any]]:
        """A vendor's own list of its models. Raises `NotFound` without that vendor, `GatewayError` when it fails."""
        provider = self.available.get(name)
        if isinstance(provider, HttpProvider):
            return provider.list_models()
        if isinstance(provider, EchoProvider):
            return [{"id": ECHO, "object": "model", "created": 0, "owned_by": "aiproxy"}]
        raise NotFound(f"The provider {name} is not configured here.")


def build_catalog(models: ModelsFile, settings: Settings, http: HttpClient) -> Catalog:
    """Make every provider whose key and address are known. Raises `SettingsError` for a bad address."""
    available: dict[str, Provider] = {}
    missing: dict[str, str] = {}
    keyless: dict[str, Provider] = {}
    for name, row in models.providers.items():
        provider = _KINDS[row.kind](name, row, settings, http)
        if isinstance(provider, str):
            missing[name] = provider
            without = _without_key(name, row, settings, http)
            keyless |= {name: without} if without else {}
        else:
            available[name] = provider
    if settings.mock_model_responses:
        available = {name: EchoProvider(name) for name in models.providers}
        missing = {}
        keyless = {}
    available[ECHO] = EchoProvider(ECHO)
    return Catalog(available, missing, keyless)


def _without_key(name: str, row: ProviderRow, settings: Settings, http: HttpClient) -> Provider | None:
    """A vendor whose key callers may bring."""
    if not row.callers_key:
        return None
    provider = _vendor(name, msgspec.structs.replace(row, key=""), settings, http)
    return None if isinstance(provider, str) else provider


def _vendor(name: str, row: ProviderRow, settings: Settings, http: HttpClient) -> Provider | str:
    """An HTTP vendor, or what it lacks."""
    try:
        shapes = _shapes(row)
        "".join([*row.headers, *row.headers.values()]).encode("latin-1")
    except ValueError as error:
        raise SettingsError(f"provider {name}: {error}") from None
    key_setting = row.key_setting(name)
    key = settings.vendor_value(key_setting) if key_setting else None
    if key_setting and not key:
        return f"{key_setting} is not set"
    if key and not (key.isascii() and key.isprintable()):
        raise SettingsError(f"provider {name}: {key_setting} has characters that no header can carry")
    address_setting = row.address_setting(name)
    url = settings.vendor_value(address_setting) or row.base_url
    if not url:
        return f"{address_setting} is not set"
    try:
        origin = Origin.parse(url)
    except ValueError as error:
        raise SettingsError(f"provider {name}: {error}") from None
    anthropic = row.kind == "anthropic"
    return HttpProvider(
        Vendor(
            name=name,
            dialect=Dialect.ANTHROPIC if anthropic else Dialect.OPENAI,
            origin=origin,
            shapes=frozenset({Shape.MESSAGE, Shape.TOKEN_COUNT}) if anthropic else shapes,
            auth="x-api-key" if anthropic else row.auth,
            key=key,
            callers_key=row.callers_key,
            headers=row.headers,
            usage_in_streams=row.usage_in_streams,
            token_limit=row.token_limit,
        ),
        http,
    )


def _shapes(row: ProviderRow) -> frozenset[Shape]:
    """What a row serves. Raises `ValueError` for a shape that nobody knows."""
    named = {shape for shape in row.shapes if shape != "*"}
    everything = {path.shape for path in PATHS} if "*" in row.shapes else set()
    return frozenset(everything | {Shape(shape) for shape in named})


def _bedrock(name: str, row: ProviderRow, settings: Settings, http: HttpClient) -> Provider | str:
    del row, http
    endpoint = settings.aws_endpoint_url_bedrock_runtime or settings.aws_endpoint_url
    return BedrockProvider(name, region=settings.aws_region, endpoint_url=endpoint)


_KINDS: Mapping[str, Callable[[str, ProviderRow, Settings, HttpClient], Provider | str]] = {
    "openai": _vendor,
    "anthropic": _vendor,
    "bedrock": _bedrock,
}
