"""models.toml as it is shipped: every row makes a provider once its setting is there, and reaches it over TLS."""

from __future__ import annotations

from typing import Any

import pytest

from lib.base import load, load_models
from lib.gateway import Chooser
from lib.net import HttpClient
from lib.providers import build_catalog
from lib.wire import EMBED, PATHS, Shape
from tests.upstream.gateway import ROOT

FILE = ROOT / "models.toml"
SHIPPED = load_models(FILE)
ROWS = SHIPPED.providers
SHAPES = {*(shape.value for shape in Shape), "*"}
KEYED = [name for name, row in ROWS.items() if row.kind != "bedrock"]
EXPECTED = {
    "openai", "anthropic", "bedrock", "azure", "chutes", "chutes-embed", "openrouter", "deepseek", "mistral", "groq",
    "together", "fireworks", "xai", "gemini",
}  # fmt: skip


def catalog(**environ: str) -> Any:
    return build_catalog(SHIPPED, load(environ, "/nonexistent/config.txt"), HttpClient())


def settings_of(name: str) -> dict[str, str]:
    """What must be set so that a row can be used."""
    row = ROWS[name]
    key = {row.key or f"{name.upper()}_API_KEY": "sk-test-0123456789"}
    return key if row.base_url else key | {address_of(name): "https://vendor.example/v1"}


def address_of(name: str) -> str:
    """The setting that moves its address."""
    return ROWS[name].address or f"{name.upper()}_BASE_URL"


def with_the_same_key(name: str) -> set[str]:
    """The rows that are usable as soon as this one is."""
    return {other for other in KEYED if settings_of(other).items() <= settings_of(name).items()}


def test_the_vendors_that_are_promised_are_there() -> None:
    assert set(ROWS) == EXPECTED


@pytest.mark.parametrize("name", KEYED)
def test_a_row_makes_a_provider_once_its_key_is_set(name: str) -> None:
    made = catalog(**settings_of(name))
    provider = made.available[name]
    assert provider.name == name
    assert any(provider.dialect(path) for path in (*PATHS, EMBED))
    assert "sk-test" not in repr(provider._vendor)
    assert set(made.available) == {*with_the_same_key(name), "bedrock", "echo"}


@pytest.mark.parametrize("name", KEYED)
def test_without_its_key_it_is_missing_and_the_setting_is_named(name: str) -> None:
    missing = catalog().missing[name]
    assert missing == f"{next(iter(settings_of(name)))} is not set"


@pytest.mark.parametrize("name", KEYED)
def test_every_address_is_https_and_whole(name: str) -> None:
    origin = catalog(**settings_of(name)).available[name]._vendor.origin
    assert (origin.scheme, origin.port) == ("https", 443)
    assert not ROWS[name].base_url.endswith("/")
    assert (origin.prefix == "") == (ROWS[name].kind == "anthropic")  # whose paths have the version in them


@pytest.mark.parametrize("name", ROWS)
def test_every_shape_is_known(name: str) -> None:
    assert set(ROWS[name].shapes) <= SHAPES
    assert ROWS[name].shapes


@pytest.mark.parametrize("name", KEYED)
def test_its_address_can_be_moved(name: str) -> None:
    setting = address_of(name)
    origin = catalog(**settings_of(name) | {setting: "http://127.0.0.1:9/base"}).available[name]._vendor.origin
    assert (origin.scheme, origin.port, origin.prefix) == ("http", 9, "/base")


def test_no_two_rows_claim_the_same_names() -> None:
    """Where one prefix begins with another the longer stands first: the first that fits counts."""
    prefixes = [prefix for row in ROWS.values() for prefix in row.prefixes]
    hidden = [
        (first, second)
        for at, first in enumerate(prefixes)
        for second in prefixes[at + 1 :]
        if second.startswith(first)
    ]
    assert hidden == []


@pytest.mark.parametrize(("asked", "provider", "model"), [
    ("gpt-4o", "openai", "gpt-4o"),
    ("o3-mini", "openai", "o3-mini"),
    ("text-embedding-3-small", "openai", "text-embedding-3-small"),
    ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
    ("deepseek-chat", "deepseek", "deepseek-chat"),
    ("deepseek-ai/DeepSeek-V3", "chutes", "deepseek-ai/DeepSeek-V3"),
    ("mistral-large-latest", "mistral", "mistral-large-latest"),
    ("grok-4", "xai", "grok-4"),
    ("gemini-2.5-pro", "gemini", "gemini-2.5-pro"),
    ("openrouter/meta/llama", "openrouter", "meta/llama"),
    ("groq/openai/gpt-oss-20b", "groq", "openai/gpt-oss-20b"),
    ("bedrock/eu.anthropic.claude-sonnet-4-5-v1:0", "bedrock", "eu.anthropic.claude-sonnet-4-5-v1:0"),
    ("bedrock.anthropic.claude-3-haiku-v1:0", "bedrock", "anthropic.claude-3-haiku-v1:0"),
    ("echo/delay=1", "echo", "echo/delay=1"),
])  # fmt: skip
def test_where_names_lead(asked: str, provider: str, model: str) -> None:
    everything = {name: value for row in KEYED for name, value in settings_of(row).items()}
    chooser = Chooser(SHIPPED, catalog(**everything))
    path = next(path for path in PATHS if path.shape is (Shape.EMBEDDING if "embed" in asked else Shape.CHAT))
    (place,) = chooser.places(asked, path)
    assert (place.provider.name, place.model) == (provider, model)


def test_the_examples_in_its_comments_are_right(tmp_path: Any) -> None:
    """What the file shows in comments can be used as it stands."""
    lines = FILE.read_text().splitlines()
    keys = ("[", "base", "key", "shapes", "targets", "fall", "timeouts")
    keys += ("free =", "input =", "output =", "cache_read =", "reserve_output =")
    shown = [line.removeprefix("# ") if line.startswith(tuple(f"# {key}" for key in keys)) else line for line in lines]
    copy = tmp_path / "models.toml"
    copy.write_text("\n".join(shown))
    models = load_models(copy)
    assert set(models.providers) == EXPECTED | {"local"}
    assert set(models.models) == {"smart"}
    assert {"local/*", "azure/our-gpt", "openai/o3*"} < set(models.prices)
    made = build_catalog(models, load({}, "/nonexistent/config.txt"), HttpClient())
    assert "local" in made.available
