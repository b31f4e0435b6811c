"""Which models agents may call: by patterns, with a price, reachable; the echo while nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.access import Caller
from lib.agents import Models
from lib.base import AgentsRow, SettingsError, load, load_models
from lib.base.errors import NotServed, UnknownModel
from lib.gateway import Chooser
from lib.limits import Prices
from lib.net import HttpClient
from lib.providers import build_catalog
from lib.wire import EMBED, Shape, path_of

ANYONE = Caller("anyone")
ROWS = """
[providers.openai]
base_url = "http://127.0.0.1:9/v1"
prefixes = ["gpt-", "text-embedding-"]
[providers.tei]
key = ""
base_url = "http://127.0.0.1:9/embed"
prefixes = ["BAAI/"]
shapes = ["embed"]
[providers.local]
key = ""
base_url = "http://127.0.0.1:9/v1"
[models.smart]
targets = ["local/unpriced", "openai/gpt-4o"]
[prices."tei/*"]
second = 0.5
[prices."local/small"]
input = 1.5
output = 2
context_window = 8000
"""
AGENTS = AgentsRow(
    models=("gpt-4o", "smart", "local/*"),
    embedding_models=("BAAI/*", "text-embedding-3-small"),
    default_model="gpt-4o",
    default_embedding_model="BAAI/bge",
)


@pytest.fixture
def build(tmp_path: Path):  # type: ignore[no-untyped-def]
    def make(rows: AgentsRow = AGENTS, *, offline: bool = False, text: str = ROWS, **environ: str) -> Models:
        (tmp_path / "models.toml").write_text(text)
        file = load_models(tmp_path / "models.toml")
        settings = load({"OPENAI_API_KEY": "sk-0123456789abcdef", **environ}, tmp_path / "absent")
        chooser = Chooser(file, build_catalog(file, settings, HttpClient()))
        return Models(rows, chooser, Prices(file), known=("local/small", "local/*"), offline=offline)

    return make


def test_what_is_listed_matches_leads_somewhere_and_has_a_price(build) -> None:  # type: ignore[no-untyped-def]
    models = build()
    assert models.chat.names(ANYONE) == ["gpt-4o", "smart", "local/small"]
    assert models.embedding.names(ANYONE) == ["text-embedding-3-small"]
    offer = models.chat.offer("smart", ANYONE)
    assert (offer.external_name, offer.price.rates.input > 0) == ("gpt-4o", True)


def test_a_key_that_may_not_call_a_model_does_not_see_it(build) -> None:  # type: ignore[no-untyped-def]
    caller = Caller("narrow", models=("gpt-*",))
    assert build().chat.names(caller) == ["gpt-4o"]
    assert not build().chat.allows("smart", caller)


@pytest.mark.parametrize("name", ["gpt-4o-mini", "GPT-4O", "echo", "openai/gpt-4o", ""])
def test_other_names_are_not_allowed(build, name: str) -> None:  # type: ignore[no-untyped-def]
    assert not build().chat.allows(name, ANYONE)


def test_the_way_to_an_embedding(build) -> None:  # type: ignore[no-untyped-def]
    models = build(offline=True)
    usual = path_of(Shape.EMBEDDING)
    assert models.embedding.path("BAAI/bge") is EMBED
    assert models.embedding.path("text-embedding-3-small") is usual
    assert models.embedding.path("text-embedding-3-small", EMBED) is usual
    assert models.embedding.path("echo") is usual
    assert models.embedding.path("echo", EMBED) is EMBED
    with pytest.raises(UnknownModel):
        models.embedding.path("nobody")
    with pytest.raises(NotServed):
        models.chat.path("BAAI/bge")


def test_defaults(build) -> None:  # type: ignore[no-untyped-def]
    models = build()
    assert (models.default_model(ANYONE), models.default_embedding_model(ANYONE)) == ("gpt-4o", "BAAI/bge")
    assert build(AgentsRow()).default_model(ANYONE) is None


def test_offline_the_echo_stands_in_for_what_cannot_be_reached(build) -> None:  # type: ignore[no-untyped-def]
    models = build(offline=True, OPENAI_API_KEY="")
    assert models.default_model(ANYONE) == "echo"
    assert models.default_embedding_model(ANYONE) == "BAAI/bge"
    assert models.chat.allows("echo/delay=1", ANYONE)
    assert build(AgentsRow(), offline=True).default_model(ANYONE) == "echo"


@pytest.mark.parametrize("field", ["default_model", "default_embedding_model"])
def test_a_default_must_be_allowed(build, field: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SettingsError, match=f"agents.{field}: `gpt-4o` is not among"):
        build(text=f'{ROWS}\n[agents]\n{field} = "gpt-4o"\n')
