"""From rows of models.toml to providers: what is available, what is missing and why, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.base import SettingsError, load, load_models
from lib.base.errors import NotFound
from lib.net import HttpClient
from lib.providers import Catalog, Outgoing, build_catalog
from lib.wire import EMBED, PATHS, Dialect, Shape, path_of

ROOT = Path(__file__).parents[3]
CHAT = path_of(Shape.CHAT)
KEY = "sk-vendor-secret"


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Catalog]]:
    """`build(rows, GROQ_API_KEY="...")`: the catalog of a models.toml, with these settings alone."""
    http = HttpClient()

    def build(rows: str, **environ: str) -> Catalog:
        file = tmp_path / "models.toml"
        file.write_text(rows)
        return build_catalog(load_models(file), load(environ, tmp_path / "absent.txt"), http)

    yield build
    http.close()


ACME = '[providers.acme]\nbase_url = "http://localhost/v1"\n'


@pytest.mark.parametrize(
    ("row", "environ", "missing"),
    [
        (ACME, {"ACME_API_KEY": KEY}, None),
        (ACME, {}, "ACME_API_KEY is not set"),
        (ACME, {"ACME_API_KEY": " "}, "ACME_API_KEY is not set"),
        (ACME + 'key = "OTHER_API_KEY"', {"OTHER_API_KEY": KEY}, None),
        (ACME + 'key = "OTHER_API_KEY"', {"ACME_API_KEY": KEY}, "OTHER_API_KEY is not set"),
        (ACME + 'key = ""', {}, None),
        ("[providers.acme]", {"ACME_API_KEY": KEY}, "ACME_BASE_URL is not set"),
        ("[providers.acme]", {"ACME_API_KEY": KEY, "ACME_BASE_URL": "http://localhost/v1"}, None),
        ("[providers.acme]", {"ACME_BASE_URL": "http://localhost/v1"}, "ACME_API_KEY is not set"),
        ('[providers.acme]\nkey = ""\naddress = "ACME_EMBED_URL"', {"ACME_EMBED_URL": "http://localhost/embed"}, None),
        ('[providers.acme]\nkey = ""\naddress = "ACME_EMBED_URL"', {}, "ACME_EMBED_URL is not set"),
        ('[providers.acme]\nkind = "bedrock"', {}, None),
        ('[providers.acme]\nkind = "anthropic"\nbase_url = "http://localhost"', {"ACME_API_KEY": KEY}, None),
    ],
)
def test_a_provider_is_available_or_says_what_it_lacks(build, row, environ, missing):
    catalog = build(row, **environ)
    assert catalog.missing == ({"acme": missing} if missing else {})
    assert set(catalog.available) == ({"echo"} if missing else {"acme", "echo"})


def test_a_name_with_a_dash_has_settings_with_an_underscore(build):
    assert build("[providers.my-own]", MY_OWN_API_KEY=KEY, MY_OWN_BASE_URL="http://localhost").missing == {}


@pytest.mark.parametrize("name", ["AIPROXY_API_KEY", "HONEYBADGER_API_KEY"])
def test_no_row_can_send_a_key_of_ours_away(build, name):
    catalog = build(f'{ACME}key = "{name}"', **{name: "our-own-key-0123456789"})
    assert catalog.missing == {"acme": f"{name} is not set"}


@pytest.mark.parametrize(
    ("row", "environ"),
    [
        ('[providers.acme]\nbase_url = "localhost/v1"\nkey = ""', {}),
        ('[providers.acme]\nbase_url = "ftp://localhost"\nkey = ""', {}),
        ('[providers.acme]\nbase_url = "http://localhost/v1?key=secret"\nkey = ""', {}),
        ('[providers.acme]\nbase_url = "http://user:secret@localhost/v1"\nkey = ""', {}),
        ('[providers.acme]\nbase_url = "http://localhost:port/v1"\nkey = ""', {}),
        (ACME, {"ACME_API_KEY": KEY, "ACME_BASE_URL": "secret-without-a-scheme"}),
        (ACME + 'key = ""\nshapes = ["chatt"]', {}),
        (ACME + 'shapes = ["chatt"]', {}),
        (ACME, {"ACME_API_KEY": "secret-key-\u2013-pasted"}),
        (ACME + 'key = ""\nheaders = { x-note = "\u2013" }', {}),
    ],
)
def test_a_bad_row_is_named_and_no_secret_shown(build, row, environ):
    with pytest.raises(SettingsError, match="acme") as caught:
        build(row, **environ)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "header", "value"),
    [
        ("", "authorization", f"Bearer {KEY}"),
        ('auth = "bearer"', "authorization", f"Bearer {KEY}"),
        ('auth = "api-key"', "api-key", KEY),
        ('auth = "x-api-key"', "x-api-key", KEY),
        ('kind = "anthropic"', "x-api-key", KEY),
    ],
)
def test_the_key_travels_as_the_row_says(build, upstream, row, header, value):
    provider = build(f"[providers.acme]\n{row}", ACME_API_KEY=KEY, ACME_BASE_URL=upstream.openai_url).available["acme"]
    upstream.plan("ok")
    answer = provider.send(Outgoing(CHAT, "m", b"{}"))
    assert answer.start(5)
    answer.close()
    [call] = upstream.calls
    assert call.header(header) == value
    assert sum(KEY in sent for _, sent in call.headers) == 1


def test_a_setting_moves_the_address_of_the_row(build, upstream):
    catalog = build('[providers.acme]\nbase_url = "http://127.0.0.1:1"\nkey = ""', ACME_BASE_URL=upstream.openai_url)
    assert catalog.list_models("acme")
    assert upstream.calls[0].path == "/v1/models"


def test_the_whole_address_of_one_model_is_the_address_of_the_call(build, upstream):
    row = '[providers.tei]\nkey = ""\naddress = "TEI_EMBED_URL"\nshapes = ["embed"]'
    provider = build(row, TEI_EMBED_URL=f"{upstream.url}/models/7/embed").available["tei"]
    answer = provider.send(Outgoing(path=EMBED, model="m", body=b'{"inputs": "x"}'))
    assert answer.start(5)
    answer.close()
    assert (upstream.calls[0].path, upstream.calls[0].json) == ("/models/7/embed", {"inputs": "x"})
    assert [path for path in PATHS if provider.dialect(path)] == []
    assert provider.dialect(EMBED) is Dialect.OPENAI


def test_every_path_is_no_address_of_one_model(build):
    assert build(ACME + 'key = ""\nshapes = ["*"]').available["acme"].dialect(EMBED) is None


def test_a_row_says_what_is_served(build):
    rows = f'{ACME}key = ""\nshapes = ["embedding", "chat"]\n[providers.all]\nbase_url = "http://localhost"\n'
    available = build(rows + 'key = ""\nshapes = ["*"]').available
    assert {path.shape for path in PATHS if available["acme"].dialect(path)} == {
        Shape.CHAT, Shape.EMBEDDING, Shape.MESSAGE,
    }  # fmt: skip
    assert all(available["all"].dialect(path) is Dialect.OPENAI for path in PATHS if path.dialect is Dialect.OPENAI)


@pytest.mark.parametrize(("row", "asks"), [("", True), ("usage_in_streams = false", False)])
def test_a_row_says_whether_streams_are_asked_for_usage(build, row, asks):
    assert build(f'{ACME}key = ""\n{row}').available["acme"].asks_for_usage is asks


def test_the_rows_of_this_project_are_missing_only_their_keys(build):
    catalog = build((ROOT / "models.toml").read_text())
    assert set(catalog.available) == {"bedrock", "echo"}
    assert {why for why in catalog.missing.values() if not why.endswith("_API_KEY is not set")} == set()


# ---- offline ----


@pytest.mark.parametrize(
    ("rows", "environ", "offline"),
    [
        ("", {}, True),
        (ACME, {}, True),
        ('[providers.bedrock]\nkind = "bedrock"', {}, True),
        (ACME, {"ACME_API_KEY": KEY}, False),
        (ACME, {"ACME_API_KEY": KEY, "MOCK_MODEL_RESPONSES": "true"}, True),
    ],
)
def test_knows_whether_only_the_echo_would_answer(build, rows, environ, offline):
    assert build(rows, **environ).offline is offline


def test_with_mock_responses_every_provider_is_an_echo(build):
    catalog = build((ROOT / "models.toml").read_text(), MOCK_MODEL_RESPONSES="true")
    assert catalog.missing == {}
    assert {"openai", "anthropic", "bedrock", "groq", "echo"} <= set(catalog.available)
    for name, provider in catalog.available.items():
        assert provider.name == name
        answer = provider.send(Outgoing(CHAT, "m", b'{"messages": [{"role": "user", "content": "Hi"}]}'))
        assert answer.start(5)
        assert b"Hi" in (answer.read(5) or b"")
        answer.close()


# ---- lists of models ----


def test_a_provider_that_is_missing_has_no_list(build):
    with pytest.raises(NotFound, match="acme"):
        build(ACME).list_models("acme")


def test_the_echo_lists_itself(build):
    assert [model["id"] for model in build("").list_models("echo")] == ["echo"]
