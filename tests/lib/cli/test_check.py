"""`bin/run.sh --check`: what it shows, what it hides, and how it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.base import secret_settings, setting_names
from lib.cli import check
from tests.servers import aws

MODELS = """
[providers.acme]
base_url = "http://localhost/v1"
[providers.open]
base_url = "http://localhost/v1"
key = ""
[models.smart]
targets = [{ model = "open/a", weight = 3 }, "open/b"]
fallbacks = ["acme/c"]
[models.clever]
targets = ["acme/d"]
"""


@dataclass
class Checked:
    """How a check ended, and what it wrote."""

    status: int
    out: str
    err: str

    def row(self, name: str) -> list[str]:
        """The columns of the line that begins with a name."""
        line = next(line for line in self.out.splitlines() if re.match(rf"  {re.escape(name)}(  |$)", line))
        return re.split(r"\s{2,}", line.strip())


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """`run(config, models, PORT="...")`: check with this config.txt and models.toml, and nothing else set."""
    monkeypatch.chdir(tmp_path)
    for name in setting_names():
        monkeypatch.delenv(name, raising=False)

    def run(config: str = "", models: str = MODELS, *, argv: tuple[str, ...] = (), **environ: str) -> Checked:
        (tmp_path / "config.txt").write_text(config)
        (tmp_path / "models.toml").write_text(models)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        status = check.main(argv)
        return Checked(status, *capsys.readouterr())

    return run


# ---- what it shows ----


def test_shows_every_setting_with_its_value_and_where_it_is_from(run):
    done = run("PORT=6000\nLOG_LEVEL=DEBUG\nPING_SECONDS=\n", LOG_LEVEL="ERROR", REQUEST_TIMEOUT_SECONDS="2.50")
    assert (done.status, done.err) == (0, "")
    assert [done.row(name)[0] for name in setting_names()] == setting_names()
    assert done.row("PORT")[1:] == ["6000", "config.txt"]
    assert done.row("LOG_LEVEL")[1:] == ["ERROR", "environment"]
    assert done.row("REQUEST_TIMEOUT_SECONDS")[1:] == ["2.5", "environment"]
    assert done.row("PING_SECONDS")[1:] == ["15", "default"]
    assert done.row("MOCK_MODEL_RESPONSES")[1:] == ["false", "default"]
    assert done.row("OPENAI_BASE_URL")[1:] == ["-", "default"]


def test_columns_are_aligned(run):
    lines = run().out.partition("\n\n")[0].splitlines()[1:]
    assert len({line.rindex("  default") for line in lines}) == 1


def test_settings_of_other_vendors_are_shown_when_they_are_set(run):
    done = run(ACME_BASE_URL="http://localhost:9/v1", ACME_API_KEY="secret-acme")
    assert done.row("ACME_BASE_URL")[1:] == ["http://localhost:9/v1", "environment"]
    assert done.row("ACME_API_KEY")[1:] == ["********", "environment"]


def test_shows_providers_with_what_they_lack(run):
    done = run()
    assert done.row("open")[1:] == ["available"]
    assert done.row("acme")[1:] == ["not available: ACME_API_KEY is not set"]
    assert done.row("echo")[1:] == ["available"]


def test_shows_models_with_where_they_lead(run):
    done = run()
    assert done.row("smart")[1:] == ["open/a (3) or open/b, then acme/c"]
    assert done.row("clever")[1:] == ["not available: ACME_API_KEY is not set"]


@pytest.mark.parametrize(
    ("models", "default"),
    [("", "echo"), (MODELS, "refused: a request must name its model"), ('[defaults]\nmodel = "echo"' + MODELS, "echo")],
)
def test_shows_the_default_model(run, models, default):
    assert run(models=models).row("(when none is named)")[1:] == [default]


# ---- what it hides ----


def test_masks_every_secret(run):
    secrets = {name: f"secret-{name}-0123456789" for name in setting_names() if name.endswith("_KEY")}
    done = run("GROQ_API_KEY=secret-groq", **secrets)
    assert "secret" not in done.out + done.err
    assert {name: done.row(name)[1] for name in secrets} == dict.fromkeys(secrets, "********")
    assert done.row("GROQ_API_KEY")[1:] == ["********", "config.txt"]


def test_several_main_keys_are_counted_and_not_shown(run):
    assert run(AIPROXY_API_KEY="secret-a,secret-b").row("AIPROXY_API_KEY")[1] == "********, ********"


def test_masks_what_stands_in_a_url(run):
    done = run(AWS_ENDPOINT_URL="http://user:secret@localhost:4566")
    assert done.row("AWS_ENDPOINT_URL")[1] == "http://********@localhost:4566"


def test_a_secret_on_a_line_of_its_own_is_not_shown(run):
    done = run("secret-pasted-by-mistake\nsecret-again=1\n")
    assert "secret" not in done.out + done.err
    assert "not NAME=value" in done.out


# ---- notes ----


@pytest.mark.parametrize(
    ("config", "environ", "note"),
    [
        ("OPENAI_KEY=x", {}, "config.txt: the gateway has no setting OPENAI_KEY"),
        ("", {}, "AIPROXY_API_KEY is not set: anyone on this machine may call"),
        ("", {"HOST": "0.0.0.0"}, "AIPROXY_API_KEY is not set: each start makes a key of its own"),
        ("", {"MOCK_MODEL_RESPONSES": "true"}, "MOCK_MODEL_RESPONSES is on"),
    ],
)
def test_notes_what_is_worth_a_look(run, config, environ, note):
    done = run(config, **environ)
    assert note in done.out
    assert done.status == 0


def test_notes_nothing_otherwise(run):
    done = run("PORT=6000\nGROQ_API_KEY=x\nGROQ_BASE_URL=http://localhost\n", AIPROXY_API_KEY="a-key-of-this-test")
    assert "Notes" not in done.out


# ---- how it ends ----


@pytest.mark.parametrize(
    ("environ", "models", "faults"),
    [
        ({"PORT": "secret", "LOG_FORMAT": "secret"}, "", ["PORT", "LOG_FORMAT"]),
        ({"ENVIRONMENT_TYPE": "production"}, "", ["AIPROXY_API_KEY"]),
        ({"MODELS_FILE": "absent.toml"}, "", ["absent.toml: cannot be read"]),
        ({}, "[models.x]\ntargets = []\n[providers.echo]", ["providers.echo", "models.x"]),
        ({"OPEN_BASE_URL": "secret"}, MODELS, ["provider open"]),
        ({}, '[defaults]\nmodel = "clever"' + MODELS, ["defaults.model: clever is not available: ACME_API_KEY"]),
        ({}, '[defaults]\nmodel = "gpt-9"', ["defaults.model: gpt-9"]),
    ],
)
def test_ends_with_1_and_a_line_for_each_fault(run, environ, models, faults):
    done = run(models=models, **environ)
    lines = done.err.splitlines()
    assert done.status == 1
    assert len(lines) == len(faults)
    assert all(line.startswith("wrong: ") and fault in line for line, fault in zip(lines, faults, strict=True))
    assert "secret" not in done.err


def test_a_fault_of_the_models_leaves_the_settings_to_be_seen(run):
    assert run(models="[").row("PORT")[1:] == ["5000", "default"]


def test_explains_itself(run, capsys):
    with pytest.raises(SystemExit) as ended:
        run(argv=("--help",))
    assert ended.value.code == 0
    assert "bin/run.sh --check" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [("--port",), ("PORT",), ("--check",)])
def test_refuses_unknown_arguments(run, argv):
    with pytest.raises(SystemExit) as ended:
        run(argv=argv)
    assert ended.value.code == 2


# ---- secrets of elsewhere ----


def test_shows_which_secrets_are_from_secrets_manager(run, moto):
    environ = {**aws(moto.url), "DNS_RECORD": "checked.example.org", "KEY_SECRET": "none"}
    prefix = "development/checked.example.org/"
    names = [name for name in [*secret_settings(), "ACME_API_KEY"] if name != "KEY_SECRET"]
    moto.fill(prefix, names, OPENAI_API_KEY="secret-of-openai")
    done = run("CHUTES_API_KEY=secret-of-chutes", **environ)
    assert (done.status, done.err) == (0, "")
    assert done.row("OPENAI_API_KEY")[1:] == ["********", "Secrets Manager"]
    assert done.row("CHUTES_API_KEY")[1:] == ["********", "config.txt"]
    assert done.row("KEY_SECRET")[1:] == ["-", "environment"]
    assert done.row("REDIS_PASSWORD")[1:] == ["-", "Secrets Manager"]
    assert "secret-of" not in done.out


def test_says_which_secrets_lack_and_shows_the_rest(run, moto):
    environ = {**aws(moto.url), "DNS_RECORD": "lacking.example.org", "ENVIRONMENT_TYPE": "test"}
    moto.create("test/lacking.example.org/aiproxy_api_key", "secret-0123456789abcdef")
    done = run(**environ)
    assert done.status == 1
    assert done.row("AIPROXY_API_KEY")[1:] == ["********", "Secrets Manager"]
    assert "wrong: test/lacking.example.org/acme_api_key (there is no such secret)" in done.err.splitlines()
    assert "secret-0123" not in done.out + done.err
