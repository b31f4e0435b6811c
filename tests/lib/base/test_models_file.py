"""models.toml: what it may say, and that every fault is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.base import BUILT_IN_TIMEOUTS, ModelsFile, SettingsError, Target, Timeouts, load_models

ROOT = Path(__file__).parents[3]
PROVIDER = '[providers.acme]\nbase_url = "http://localhost/v1"\n'


@pytest.fixture
def read(tmp_path):
    def read(text: str) -> ModelsFile:
        file = tmp_path / "models.toml"
        file.write_text(text)
        return load_models(file)

    return read


def test_an_empty_file_is_enough(read):
    models = read("")
    assert models == ModelsFile()
    assert (models.defaults.attempts, models.rest.failures, models.providers) == (2, 5, {})


def test_it_names_models_as_callers_and_as_vendors_do(read):
    row = '[models.fast]\ntargets = ["acme/a/1", {model = "acme/b"}]\nfallbacks = ["acme/c", "echo"]\n'
    assert read(PROVIDER + row).names() == {"fast", "a/1", "b", "c", "echo"}


def test_the_file_of_this_project_is_good():
    models = load_models(ROOT / "models.toml")
    assert {"openai", "anthropic", "bedrock"} <= set(models.providers)


def test_the_commented_rows_of_this_project_are_good_too(read):
    """They are there to be copied."""
    lines = (ROOT / "models.toml").read_text().splitlines()
    keys = ("[", "base_url", "key", "shapes", "targets", "fallbacks", "timeouts", "model =", "allow")
    keys += ("free =", "input =", "output =", "cache_read =", "reserve_output =")
    commented = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    extra = [line for line in commented if line.startswith(keys)]
    assert "[providers.local]" in extra
    assert any(line.startswith("[models.") for line in extra)
    defaults = extra.index("[providers.local]")
    text = "\n".join(lines).replace("[defaults]", "\n".join(["[defaults]", *extra[:defaults]]), 1)
    models = read("\n".join([text, *extra[defaults:]]))
    assert models.defaults.model
    assert models.providers["local"].key == ""
    assert models.prices["local/*"].free
    assert models.prices["openai/o3*"].reserve_output == 25_000
    assert [place.weight for place in models.models["smart"].targets if isinstance(place, Target)] == [3.0, 1.0]


def test_a_provider_has_its_defaults(read):
    row = read(PROVIDER).providers["acme"]
    assert (row.kind, row.key, row.auth, row.shapes, row.allow) == (
        "openai", None, "bearer", ("chat", "embedding"), ("*",),
    )  # fmt: skip


def test_a_target_is_a_name_or_a_table(read):
    models = read(PROVIDER + '[models.x]\ntargets = ["acme/a", {model = "acme/b", weight = 0.5}]\nfallbacks = ["echo"]')
    assert models.models["x"].targets == ("acme/a", Target("acme/b", 0.5))


FAULTS = [
    ("not toml", "targets = [", ""),
    ("unknown table", "[provider.acme]\n", "provider"),
    ("unknown key of a provider", PROVIDER + "base = 1\n", "base"),
    ("unknown key of a model", PROVIDER + '[models.x]\ntarget = ["acme/a"]', "target"),
    ("unknown key of a target", PROVIDER + '[models.x]\ntargets = [{model = "acme/a", wait = 1}]', "models"),
    ("unknown timeout", "[defaults]\ntimeouts = { first = 1 }", "$.defaults.timeouts"),
    ("wrong type", "[defaults]\nattempts = 'two'", "$.defaults.attempts"),
    ("wrong type of a timeout", '[providers.a]\ntimeouts = { idle = "long" }', "$.providers"),
    ("unknown kind", '[providers.acme]\nkind = "soap"\n', "kind"),
    ("unknown way to send the key", '[providers.acme]\nauth = "cookie"\n', "auth"),
    ("a provider named echo", "[providers.echo]\n", "providers.echo"),
    ("a provider with a slash", '[providers."a/b"]\n', "providers.a/b"),
    ("no targets", PROVIDER + "[models.x]\nfallbacks = ['acme/a']", "models"),
    ("empty targets", PROVIDER + "[models.x]\ntargets = []", "models.x"),
    ("a target of nobody", PROVIDER + "[models.x]\ntargets = ['acme/a', 'other/a']", "models.x"),
    ("a target without a provider", PROVIDER + "[models.x]\ntargets = [{ model = 'gpt-4o' }]", "gpt-4o"),
    ("a fallback of nobody", PROVIDER + "[models.x]\ntargets = ['acme/a']\nfallbacks = ['other/b']", "other/b"),
    ("a negative weight", PROVIDER + "[models.x]\ntargets = [{ model = 'acme/a', weight = -1 }]", "models.x"),
    ("no attempts", "[defaults]\nattempts = 0", "defaults.attempts"),
    ("a negative timeout", "[defaults]\ntimeouts = { connect = -1 }", "defaults.timeouts.connect"),
    ("a timeout that is no number", PROVIDER + "timeouts = { idle = nan }", "providers.acme.timeouts.idle"),
    ("an endless timeout", PROVIDER + "[models.x]\ntargets = ['acme/a']\ntimeouts = { total = inf }", "models.x"),
    ("a negative wait", "[defaults]\nlongest_wait = -5", "defaults.longest_wait"),
    ("a rest after nothing", "[rest]\nfailures = 0", "rest"),
    ("a rest longer than the longest", "[rest]\nseconds = 70", "rest"),
    ("a weight that is no number", PROVIDER + "[models.x]\ntargets = [{ model = 'acme/a', weight = nan }]", "models.x"),
    ("a target without a model", PROVIDER + "[models.x]\ntargets = ['acme/']", "`acme/` names no model"),
    ("a fallback without a model", PROVIDER + "[models.x]\ntargets = ['echo']\nfallbacks = ['acme']", "`acme`"),
]


@pytest.mark.parametrize(("text", "place"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_fault_is_named_with_the_file_and_its_place(read, tmp_path, text, place):
    with pytest.raises(SettingsError) as caught:
        read(text)
    assert str(caught.value).startswith(f"{tmp_path / 'models.toml'}: ")
    assert place in str(caught.value)


def test_every_fault_gets_a_line(read):
    with pytest.raises(SettingsError) as caught:
        read("[providers.echo]\n[models.x]\ntargets = []\n[models.y]\ntargets = ['nobody/a']\n[defaults]\nattempts = 0")
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert all("models.toml: " in line for line in lines)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.toml: cannot be read"):
        load_models(tmp_path / "absent.toml")


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    file = tmp_path / "models.toml"
    file.write_bytes(b"[models.\xff]")
    with pytest.raises(SettingsError, match=r"models\.toml"):
        load_models(file)


def test_a_row_of_timeouts_goes_over_another():
    over = Timeouts(connect=1.0, idle=2.0).over(BUILT_IN_TIMEOUTS)
    assert over == Timeouts(connect=1.0, first_byte=BUILT_IN_TIMEOUTS.first_byte, idle=2.0, total=None)


def test_a_timeout_of_nought_is_a_value():
    assert Timeouts(idle=0.0).over(BUILT_IN_TIMEOUTS).idle == 0.0
