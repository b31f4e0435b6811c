"""From a model's name to the places that may answer for it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath

import pytest

from lib.base import ModelsFile, Timeouts, load, load_models
from lib.base.errors import BadRequest, NotServed, UnknownModel
from lib.gateway import Chooser
from lib.gateway.choose import MAX_NAME, Place
from lib.net import HttpClient
from lib.providers import build_catalog
from lib.wire import Dialect, Path, Shape, path_of

CHAT, MESSAGE, EMBEDDING, SPEECH = (
    path_of(shape) for shape in (Shape.CHAT, Shape.MESSAGE, Shape.EMBEDDING, Shape.SPEECH)
)
FILE = """
[providers.openai]
base_url = "https://openai.example/v1"
prefixes = ["gpt-", "text-embedding-"]
shapes = ["*"]
[providers.anthropic]
kind = "anthropic"
base_url = "https://anthropic.example"
prefixes = ["claude-"]
[providers.bedrock]
kind = "bedrock"
[providers.chats]
base_url = "https://chats.example/v1"
key = ""
prefixes = ["meta/", "gpt-oss"]
shapes = ["chat"]
[providers.keyless]
base_url = "https://keyless.example/v1"
prefixes = ["lost-"]
"""
KEYS = {"OPENAI_API_KEY": "sk-openai-0123456789", "ANTHROPIC_API_KEY": "sk-ant-0123456789"}
Choose = Callable[..., Chooser]


@pytest.fixture
def choose(tmp_path: FilePath) -> Iterator[Choose]:
    """`choose(more, pick=...)`: a chooser of the rows above and `more`."""
    http = HttpClient()

    def make(more: str = "", *, pick: Callable[[], float] = random.random, **environ: str) -> Chooser:
        file = tmp_path / "models.toml"
        file.write_text(more + FILE)
        models: ModelsFile = load_models(file)
        catalog = build_catalog(models, load({**KEYS, **environ}, tmp_path / "absent.txt"), http)
        return Chooser(models, catalog, pick)

    yield make
    http.close()


def keys(places: list[Place]) -> list[str]:
    return [place.key for place in places]


# ---- names ----


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("openai/ft:gpt-4o:acme/1", "openai/ft:gpt-4o:acme/1"),
        ("gpt-4o", "openai/gpt-4o"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("gpt-oss-120b", "openai/gpt-oss-120b"),  # the first row in the file whose prefix fits
        ("meta/llama", "chats/meta/llama"),
        ("chats/gpt-4o", "chats/gpt-4o"),
        ("bedrock/us.amazon.nova-pro-v1:0", "bedrock/us.amazon.nova-pro-v1:0"),
        ("bedrock.us.amazon.nova-pro-v1:0", "bedrock/us.amazon.nova-pro-v1:0"),
        ("echo", "echo/echo"),
        ("echo/chunks=3", "echo/echo/chunks=3"),
    ],
)
def test_a_name_leads_to_a_provider(choose: Choose, name: str, key: str) -> None:
    assert keys(choose().places(name, CHAT)) == [key]


@pytest.mark.parametrize(
    "name",
    ["unheard-of", "openai/", "/gpt-4o", "nobody/gpt-4o", "lost-model", "keyless/m", "echoes", "GPT-4o", "bedrock"],
)
def test_a_name_that_leads_nowhere(choose: Choose, name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        choose().places(name, CHAT)
    assert (caught.value.status, caught.value.param) == (404, "model")
    assert "sk-" not in str(caught.value.detail)


def test_why_a_provider_is_missing_is_for_the_log(choose: Choose) -> None:
    with pytest.raises(UnknownModel) as caught:
        choose().places("keyless/m", CHAT)
    assert "KEYLESS_API_KEY" not in caught.value.message
    assert caught.value.detail == "KEYLESS_API_KEY is not set"


@pytest.mark.parametrize("asked", [1, True, [], {}, "", "a" * (MAX_NAME + 1), "a\nb", "a\x00", "\x7f"])
def test_what_is_no_name(choose: Choose, asked: object) -> None:
    with pytest.raises(BadRequest) as caught:
        choose().model_name(asked)
    assert caught.value.param == "model"


@pytest.mark.parametrize("asked", ["m", "a" * MAX_NAME, "ünïcode/模型", "with space"])
def test_what_is_a_name(choose: Choose, asked: str) -> None:
    assert choose().model_name(asked) == asked


def test_a_request_that_names_none_gets_the_default(choose: Choose) -> None:
    assert choose('[defaults]\nmodel = "gpt-4o"\n').model_name(None) == "gpt-4o"
    assert choose(OPENAI_API_KEY="", ANTHROPIC_API_KEY="").default_model is None  # `chats` needs no key
    with pytest.raises(BadRequest):
        choose().model_name(None)


# ---- allow lists ----


def test_only_names_in_the_allow_list_are_known(choose: Choose) -> None:
    chooser = choose('[defaults]\nallow = ["gpt-4*", "mine"]\n[models.mine]\ntargets = ["anthropic/claude-opus"]\n')
    assert keys(chooser.places("gpt-4o", CHAT)) == ["openai/gpt-4o"]
    assert keys(chooser.places("mine", CHAT)) == ["anthropic/claude-opus"]
    assert chooser.names() == ["mine"]
    for name in ("gpt-5", "openai/gpt-4o", "anthropic/claude-opus", "claude-opus", "echo"):
        with pytest.raises(UnknownModel):
            chooser.places(name, CHAT)


def test_a_provider_has_an_allow_list_of_its_own(choose: Choose) -> None:
    row = '[providers.acme]\nbase_url = "https://acme.example"\nkey = ""\nallow = ["small-*", "one"]\n'
    chooser = choose(row)
    assert keys(chooser.places("acme/small-2", CHAT)) == ["acme/small-2"]
    for name in ("acme/large", "acme/ones"):
        with pytest.raises(UnknownModel):
            chooser.places(name, CHAT)


# ---- paths ----


@pytest.mark.parametrize(
    ("name", "path", "dialect"),
    [
        ("gpt-4o", CHAT, Dialect.OPENAI),
        ("gpt-4o", MESSAGE, Dialect.OPENAI),
        ("claude-x", CHAT, Dialect.ANTHROPIC),
        ("claude-x", MESSAGE, Dialect.ANTHROPIC),
        ("text-embedding-3", EMBEDDING, Dialect.OPENAI),
    ],
)
def test_a_place_knows_the_dialect_it_will_be_asked_in(choose: Choose, name: str, path: Path, dialect: Dialect) -> None:
    (place,) = choose().places(name, path)
    assert place.dialect is dialect


@pytest.mark.parametrize(("name", "path"), [("claude-x", EMBEDDING), ("chats/m", SPEECH), ("bedrock/m", SPEECH)])
def test_a_model_whose_provider_does_not_serve_the_path(choose: Choose, name: str, path: Path) -> None:
    with pytest.raises(NotServed) as caught:
        choose().places(name, path)
    assert (caught.value.status, path.route in caught.value.message) == (400, True)


def test_places_that_do_not_serve_the_path_are_left_out(choose: Choose) -> None:
    row = '[models.both]\ntargets = ["chats/m", "openai/m"]\nfallbacks = ["anthropic/m", "keyless/m"]\n'
    assert keys(choose(row, pick=lambda: 0.0).places("both", CHAT)) == ["chats/m", "openai/m", "anthropic/m"]
    assert keys(choose(row).places("both", EMBEDDING)) == ["openai/m"]


def test_a_row_of_which_nothing_is_left(choose: Choose) -> None:
    with pytest.raises(UnknownModel):
        choose('[models.lost]\ntargets = ["keyless/m", "anthropic/m"]\n').places("lost", EMBEDDING)


# ---- weights and fallbacks ----

WEIGHTED = """
[models.w]
targets = [{ model = "openai/a", weight = 1 }, { model = "openai/b", weight = 3 }, { model = "openai/c", weight = 0 }]
fallbacks = ["anthropic/f", "openai/g"]
"""


def test_the_draw_decides_who_is_first_and_weight_who_is_next(choose: Choose) -> None:
    after = ["openai/c", "anthropic/f", "openai/g"]
    assert keys(choose(WEIGHTED, pick=lambda: 0.0).places("w", CHAT)) == ["openai/b", "openai/a", *after]
    assert keys(choose(WEIGHTED, pick=lambda: 0.74).places("w", CHAT)) == ["openai/b", "openai/a", *after]
    assert keys(choose(WEIGHTED, pick=lambda: 0.76).places("w", CHAT)) == ["openai/a", "openai/b", *after]
    assert keys(choose(WEIGHTED, pick=lambda: 0.9999999999999999).places("w", CHAT))[0] == "openai/a"


def test_many_draws_follow_the_weights(choose: Choose) -> None:
    chooser = choose(WEIGHTED, pick=random.Random(7).random)
    drawn = Counter(chooser.places("w", CHAT)[0].model for _ in range(4000))
    assert set(drawn) == {"a", "b"}
    assert 0.72 < drawn["b"] / 4000 < 0.78


def test_targets_without_weights_are_equal(choose: Choose) -> None:
    chooser = choose('[models.w]\ntargets = ["openai/a", "openai/b"]\n', pick=random.Random(7).random)
    drawn = Counter(chooser.places("w", CHAT)[0].model for _ in range(2000))
    assert 0.45 < drawn["a"] / 2000 < 0.55


def test_weights_of_nothing_but_zero_keep_their_order(choose: Choose) -> None:
    row = '[models.w]\ntargets = [{ model = "openai/a", weight = 0 }, { model = "openai/b", weight = 0 }]\n'
    assert keys(choose(row).places("w", CHAT)) == ["openai/a", "openai/b"]


def test_a_name_of_ones_own_goes_before_a_prefix(choose: Choose) -> None:
    chooser = choose('[models."gpt-4o"]\ntargets = ["anthropic/claude-x"]\n')
    assert keys(chooser.places("gpt-4o", CHAT)) == ["anthropic/claude-x"]
    assert keys(chooser.places("openai/gpt-4o", CHAT)) == ["openai/gpt-4o"]


# ---- timeouts ----


def test_the_narrowest_timeouts_win(choose: Choose) -> None:
    rows = (
        "[defaults]\ntimeouts = { connect = 1, first_byte = 2, idle = 3 }\n"
        '[models.m]\ntargets = ["acme/a"]\ntimeouts = { first_byte = 20, total = 40 }\n'
        '[providers.acme]\nbase_url = "https://acme.example"\nkey = ""\ntimeouts = { connect = 10, first_byte = 11 }\n'
    )
    chooser = choose(rows)
    assert chooser.places("m", CHAT)[0].timeouts == Timeouts(connect=10, first_byte=20, idle=3, total=40)
    assert chooser.places("acme/a", CHAT)[0].timeouts == Timeouts(connect=10, first_byte=11, idle=3, total=None)
    assert chooser.places("gpt-4o", CHAT)[0].timeouts == Timeouts(connect=1, first_byte=2, idle=3, total=None)
    assert chooser.places("echo", CHAT)[0].timeouts.connect == 1
