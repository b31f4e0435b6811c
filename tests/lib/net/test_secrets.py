"""Which secrets the settings want, what becomes of them, and in which words their lack is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest

from lib.base import SettingsError, load, load_models, read_sources, secret_settings
from lib.net import Pulled, declared_secrets, pull, wanted
from tests.servers import Moto, Refusing, aws, refusal
from tests.upstream.ports import Ports

MODELS = '[providers.acme]\nbase_url = "http://localhost/v1"\n[providers.bedrock]\nkind = "bedrock"\n'
ROOT = Path(__file__).parents[3]
KEY = "a-key-of-sixteen-characters"
_numbers = count()


class Deployed:
    """The environment of a deployed service, and its secrets."""

    def __init__(self, folder: Path, url: str) -> None:
        self.record = f"aiproxy{next(_numbers)}.example.org"
        self.prefix = f"test/{self.record}/"
        self.config = folder / "config.txt"
        models = folder / "models.toml"
        models.write_text(MODELS)
        self.names = declared_secrets(load_models(models))
        self.environ: dict[str, str] = {
            "ENVIRONMENT_TYPE": "test",
            "DNS_RECORD": self.record,
            "MODELS_FILE": str(models),
            **aws(url),
        }

    def pull(self, seconds: float = 20.0, **environ: str) -> Pulled:
        return pull(None, self.environ | environ, str(self.config), seconds)

    def wanted(self, **environ: str) -> set[str]:
        asking = wanted(read_sources(self.environ | environ, self.config))
        assert asking is not None
        return set(asking.settings.values())

    def told(self, reasons: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(f"{self.prefix}{name} ({reason})" for name, reason in reasons.items())


@pytest.fixture
def deployed(tmp_path: Path, moto: Moto) -> Deployed:
    return Deployed(tmp_path, moto.url)


# ---- which ----


def test_every_setting_that_holds_a_secret_is_one(tmp_path: Path) -> None:
    """Whatever is shown as its type says: nothing of it in `repr`."""
    settings = load({name: f"hidden-{name}-0123456789" for name in secret_settings() if not name.endswith("_URL")})
    assert "hidden" not in repr(settings)
    assert {"AIPROXY_API_KEY", "KEY_SECRET", "OPENAI_API_KEY", "DATABASE_PASSWORD"} <= set(secret_settings())
    assert {"PORT", "OPENAI_BASE_URL", "DNS_RECORD", "ALLOWED_IPS", "VENDOR_VALUES"} & set(secret_settings()) == set()


def test_the_vendors_keys_of_the_models_file_are_among_them(deployed: Deployed) -> None:
    assert deployed.names == [*secret_settings(), "ACME_API_KEY"]


def test_what_is_known_is_not_asked_for(deployed: Deployed) -> None:
    deployed.config.write_text("KEY_SECRET=0123456789abcdef\nPROXY_API_KEY=\n")
    assert set(deployed.names) - deployed.wanted(ACME_API_KEY="x", REDIS_URL="none", CHUTES_API_KEY="") == {
        "ACME_API_KEY",
        "REDIS_URL",
        "KEY_SECRET",
    }


def test_a_development_server_with_a_name_asks_as_well(deployed: Deployed) -> None:
    asking = wanted(read_sources(deployed.environ | {"ENVIRONMENT_TYPE": "development"}, deployed.config))
    assert asking is not None
    assert f"development/{deployed.record}/openai_api_key" in asking.settings


def test_whoever_asks_does_not_load_boto3(deployed: Deployed, moto: Moto) -> None:
    moto.fill(deployed.prefix, deployed.names, ACME_API_KEY="of-aws")
    program = "import sys; from lib.net import pull; print(pull().values['ACME_API_KEY'], 'botocore' in sys.modules)"
    environ = {**os.environ, **deployed.environ}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["of-aws", "False"]


@pytest.mark.parametrize("environ", [{}, {"ENVIRONMENT_TYPE": "production"}, {"DNS_RECORD": "localhost"}])
def test_without_a_name_nobody_is_asked(environ: dict[str, str], tmp_path: Path) -> None:
    ports = Ports()
    assert pull(None, environ | aws(ports.refusing()), str(tmp_path / "absent.txt")) == Pulled({})
    ports.close()


def test_the_endpoint_and_region_may_be_in_the_file(deployed: Deployed, moto: Moto) -> None:
    moto.fill(deployed.prefix, deployed.names)
    deployed.config.write_text(f"AWS_ENDPOINT_URL={moto.url}\nAWS_REGION=us-east-1\n")
    assert deployed.pull(AWS_ENDPOINT_URL="", AWS_REGION="").faults == ()


# ---- what becomes of them ----


def test_the_environment_goes_before_the_file_and_the_file_before_secrets_manager(
    deployed: Deployed, moto: Moto
) -> None:
    names = ("OPENAI_API_KEY", "CHUTES_API_KEY", "ACME_API_KEY", "ANTHROPIC_API_KEY")
    moto.fill(deployed.prefix, deployed.names, AIPROXY_API_KEY=KEY, **dict.fromkeys(names, "of-aws"))
    deployed.config.write_text("OPENAI_API_KEY=of-the-file\nCHUTES_API_KEY=of-the-file\n")
    environ = deployed.environ | {"OPENAI_API_KEY": "of-the-environment", "ANTHROPIC_API_KEY": ""}
    pulled = pull(None, environ, str(deployed.config))
    settings = load(environ, deployed.config, pulled.values)
    sources = read_sources(environ, deployed.config, pulled.values)
    assert {name: settings.vendor_value(name) for name in names} == {
        "OPENAI_API_KEY": "of-the-environment",
        "CHUTES_API_KEY": "of-the-file",
        "ACME_API_KEY": "of-aws",
        "ANTHROPIC_API_KEY": "of-aws",
    }
    assert [sources.of(name) for name in (*names, "PORT")] == [
        "environment",
        "config.txt",
        "Secrets Manager",
        "Secrets Manager",
        "default",
    ]


def test_none_is_unset_wherever_it_is_from(deployed: Deployed, moto: Moto) -> None:
    moto.fill(deployed.prefix, deployed.names, AIPROXY_API_KEY=f"{KEY},{KEY}-2", ACME_API_KEY="none\n")
    environ = {"OPENAI_API_KEY": "none"}
    settings = load(deployed.environ | environ, deployed.config, deployed.pull(**environ).values)
    assert settings.redis_url is None
    assert settings.openai_api_key is None
    assert settings.vendor_values == {}
    assert len(settings.aiproxy_api_key) == 2


def test_a_main_key_that_is_not_used_is_refused(deployed: Deployed, moto: Moto) -> None:
    moto.fill(deployed.prefix, deployed.names)
    with pytest.raises(SettingsError, match="AIPROXY_API_KEY must be set"):
        load(deployed.environ, deployed.config, deployed.pull().values)


def test_a_command_needs_no_main_key(deployed: Deployed, moto: Moto) -> None:
    moto.create(f"{deployed.prefix}key_secret", KEY)
    pulled = pull(["KEY_SECRET"], deployed.environ, str(deployed.config))
    assert pulled == Pulled({"KEY_SECRET": KEY})
    assert load(deployed.environ, deployed.config, pulled.values, serves=False).key_secret is not None


# ---- what is told ----


def test_all_that_lack_are_in_one_list(deployed: Deployed, moto: Moto) -> None:
    moto.create(f"{deployed.prefix}aiproxy_api_key", KEY)
    moto.create(f"{deployed.prefix}openai_api_key")
    environ = dict.fromkeys(set(deployed.names) - {"AIPROXY_API_KEY", "OPENAI_API_KEY", "ACME_API_KEY"}, "none")
    pulled = deployed.pull(**environ)
    head, *rest = pulled.faults
    assert "set the word none" in head
    assert tuple(rest) == deployed.told(
        {"openai_api_key": "it has no value yet", "acme_api_key": "there is no such secret"}
    )
    assert pulled.values == {"AIPROXY_API_KEY": KEY}


def test_a_refusal_of_aws_is_told_once(tmp_path: Path) -> None:
    with Refusing(lambda *_: refusal("ThrottlingException")) as there:
        deployed = Deployed(tmp_path, there.url)
        (fault,) = deployed.pull(seconds=1.0).faults
    assert fault == (
        f"AWS Secrets Manager in us-east-1 cannot be asked for {deployed.prefix}*: "
        "no answer within 1 seconds (ThrottlingException)"
    )


def test_a_process_that_fails_is_told(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.net.secrets._COMMAND", (sys.executable, "-c", "print('not JSON')"))
    (fault,) = deployed.pull().faults
    assert fault.endswith("the process that asks failed")


def test_a_bad_models_file_is_a_fault_of_the_settings(deployed: Deployed) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        deployed.pull(MODELS_FILE="absent.toml")
