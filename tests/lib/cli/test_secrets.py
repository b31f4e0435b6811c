"""`python -m lib.cli.secrets`: the names of the secrets, and which of them are set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.base import load_models, secret_settings
from lib.cli import secrets
from lib.net import declared_secrets
from tests.servers import Moto, aws
from tests.upstream.aws_environment import isolated_aws

ROOT = Path(__file__).parents[3]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """`run("--check", DNS_RECORD="...")`: the exit status, and what was written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.toml").write_text('[providers.acme]\nbase_url = "http://localhost/v1"\n')

    def run(*argv: str, **environ: str) -> tuple[int, str, str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        return secrets.main(argv), *capsys.readouterr()

    with isolated_aws(monkeypatch):
        yield run


def test_names_are_one_a_line_and_in_lower_case(run: Run) -> None:
    status, out, _ = run("--names", ENVIRONMENT_TYPE="production")
    assert status == 0
    assert out.splitlines() == [*map(str.lower, secret_settings()), "acme_api_key"]


def test_the_projects_own_vendors_are_among_the_names(run: Run) -> None:
    _, out, _ = run("--names", MODELS_FILE=str(ROOT / "models.toml"))
    assert out.splitlines() == [name.lower() for name in declared_secrets(load_models(ROOT / "models.toml"))]


def test_says_which_are_set(run: Run, moto: Moto) -> None:
    prefix = "production/set.example.org/"
    moto.fill(prefix, [name for name in secret_settings() if name != "REDIS_URL"])
    moto.create(f"{prefix}acme_api_key")
    deployed = aws(moto.url) | {"ENVIRONMENT_TYPE": "production", "DNS_RECORD": "set.example.org"}
    status, out, err = run("--check", **deployed, DATABASE_URL="postgresql://user@host/base")
    said = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert (status, err) == (1, "")
    assert said.pop(f"{prefix}acme_api_key") == "it has no value yet"
    assert said.pop(f"{prefix}redis_url") == "there is no such secret"
    assert said == {prefix + name.lower(): "set" for name in secret_settings() if name[-4:] != "_URL"}
    moto.put(f"{prefix}acme_api_key", "none")
    moto.create(f"{prefix}redis_url", "none")
    assert run("--check")[0] == 0


def test_says_that_aws_cannot_be_asked(run: Run) -> None:
    deployed = aws("no address") | {"DNS_RECORD": "away.example.org"}
    status, out, err = run("--check", **deployed)
    assert (status, out) == (1, "")
    assert err == "wrong: AWS Secrets Manager cannot be asked: its endpoint is no address\n"


def test_without_a_name_there_is_nothing_to_say(run: Run) -> None:
    status, _, err = run("--check")
    assert status == 1
    assert "DNS_RECORD is not set" in err


@pytest.mark.parametrize("argv", [(), ("--names", "--check"), ("--values",)])
def test_refuses_other_arguments(run: Run, argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*argv)
    assert ended.value.code == 2
