"""The settings: where each value comes from, what is refused, and that no secret is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from lib.base import Settings, SettingsError, load, setting_names

LONG_KEY = "a-key-of-sixteen-characters"
SECRETS = {
    "AIPROXY_API_KEY": "secret-main-0123456789, secret-second-0123456789",
    "PROXY_API_KEY": "secret-agents-0123456789, secret-agents-9876543210",
    "KEY_SECRET": "secret-of-hashes-0123456789",
    "OPENAI_API_KEY": "secret-openai",
    "ANTHROPIC_API_KEY": "secret-anthropic",
    "CHUTES_API_KEY": "secret-chutes",
    "HONEYBADGER_API_KEY": "secret-honeybadger",
    "GROQ_API_KEY": "secret-groq",
}


def read(tmp_path: Path, text: str = "", **environ: str) -> Settings:
    """Settings from a config.txt of this text, and an environment of these names alone."""
    file = tmp_path / "config.txt"
    file.write_text(text)
    return load(environ, file)


@pytest.fixture
def from_environ(tmp_path):
    return lambda **environ: load(environ, tmp_path / "absent.txt")


# ---- where values come from ----


def test_every_default_works(from_environ):
    settings = from_environ()
    assert (settings.environment_type, settings.host, settings.port) == ("development", "127.0.0.1", 5000)
    assert settings.web_concurrency == os.cpu_count()
    assert settings.aiproxy_api_key == ()
    assert settings.vendor_values == {}


def test_the_environment_goes_before_the_file(tmp_path):
    settings = read(tmp_path, "PORT=1111\nLOG_LEVEL=DEBUG\n", PORT="2222")
    assert (settings.port, settings.log_level) == (2222, "DEBUG")


@pytest.mark.parametrize("empty", ["PORT=", "PORT=''", "PORT", "# PORT=1111", ""])
def test_an_empty_value_in_the_file_counts_as_unset(tmp_path, empty):
    assert read(tmp_path, empty).port == 5000


def test_an_empty_value_in_the_environment_leaves_the_file_alone(tmp_path):
    assert read(tmp_path, "PORT=1111\n", PORT="").port == 1111


def test_the_process_environment_is_read_when_none_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("PORT", "3333")
    assert load(config_file=tmp_path / "absent.txt").port == 3333


def test_names_of_others_are_ignored(tmp_path):
    settings = read(tmp_path, "SOMETHING=1\n", HOME="/", port="1111")
    assert settings.port == 5000


@pytest.mark.parametrize("name", setting_names())
def test_every_name_is_read(name):
    """The names that are offered are exactly the fields: a misspelt one here would not be read at all."""
    assert name == name.upper()
    assert name.lower() in Settings.model_fields


def test_the_holder_of_vendor_values_is_no_setting():
    assert "VENDOR_VALUES" not in setting_names()
    assert len(setting_names()) == len(Settings.model_fields) - 1


@pytest.mark.parametrize("field", [field for field in Settings.model_fields.values() if not field.exclude])
def test_every_setting_is_described_in_a_sentence(field):
    assert field.description
    assert field.description.endswith(".")


# ---- values ----


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a-first,a-second", ["a-first", "a-second"]),
        (" a-first , a-second ,, ", ["a-first", "a-second"]),
        ("only", ["only"]),
        (",", []),
    ],
)
def test_several_main_keys_stand_between_commas(from_environ, text, values):
    held = from_environ(AIPROXY_API_KEY=text).aiproxy_api_key
    assert [key.get_secret_value() for key in held] == values


def test_origins_are_a_list(from_environ):
    settings = from_environ(ALLOWED_ORIGINS="https://studio.example.org, http://localhost:3000")
    assert settings.allowed_origins == ("https://studio.example.org", "http://localhost:3000")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("yes", True), ("false", False), ("0", False)]
)
def test_a_switch_reads_the_usual_words(from_environ, text, value):
    assert from_environ(MOCK_MODEL_RESPONSES=text).mock_model_responses is value


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("proxy.example.org", False),
    ],
)
def test_knows_whether_other_machines_can_reach_it(from_environ, host, alone):
    assert from_environ(HOST=host).loopback_only is alone


# ---- what is refused ----


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT_TYPE", "staging"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "1000"),
        ("WORKER_CONNECTIONS", "0"),
        ("GRACEFUL_TIMEOUT_SECONDS", "-1"),
        ("DRAIN_SECONDS", "soon"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("METRICS_PORT", "65536"),
        ("REQUEST_TIMEOUT_SECONDS", "0"),
        ("PING_SECONDS", "0"),
        ("MAX_BODY_BYTES", "0"),
        ("MAX_BODY_BYTES", "1.5"),
        ("MOCK_MODEL_RESPONSES", "perhaps"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://*.example.org"),
        ("ALLOWED_ORIGINS", "studio.example.org"),
        ("ALLOWED_ORIGINS", "https://studio.example.org/"),
        ("ALLOWED_ORIGINS", "https://"),
        ("ALLOWED_ORIGINS", "https://good.example.org, null"),
    ],
)
def test_a_bad_value_is_refused_by_name(from_environ, name, value):
    with pytest.raises(SettingsError) as caught:
        from_environ(**{name: value})
    assert str(caught.value).startswith(f"{name}: ")


@pytest.mark.parametrize(
    "name", ["ENVIRONMENT_TYPE", "PORT", "PING_SECONDS", "MOCK_MODEL_RESPONSES", "ALLOWED_ORIGINS"]
)
def test_a_bad_value_is_not_shown(from_environ, name):
    with pytest.raises(SettingsError) as caught:
        from_environ(**{name: "pasted-by-mistake"})
    assert "pasted" not in str(caught.value)


def test_every_fault_gets_a_line(from_environ):
    with pytest.raises(SettingsError) as caught:
        from_environ(PORT="http", PING_SECONDS="0", LOG_LEVEL="INFO", LOG_FORMAT="xml")
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["PORT", "LOG_FORMAT", "PING_SECONDS"]


@pytest.mark.parametrize("environment", ["test", "production"])
@pytest.mark.parametrize(
    "key", ["", ",", "short", f"{LONG_KEY},short"], ids=["unset", "blank", "short", "one of two short"]
)
def test_test_and_production_need_a_key_that_is_not_guessed(from_environ, environment, key):
    with pytest.raises(SettingsError, match="AIPROXY_API_KEY") as caught:
        from_environ(ENVIRONMENT_TYPE=environment, AIPROXY_API_KEY=key)
    assert "short" not in str(caught.value)


@pytest.mark.parametrize("environment", ["test", "production"])
def test_test_and_production_start_with_a_key(from_environ, environment):
    assert from_environ(ENVIRONMENT_TYPE=environment, AIPROXY_API_KEY=LONG_KEY).environment_type == environment


def test_development_takes_a_short_key(from_environ):
    assert len(from_environ(AIPROXY_API_KEY="short").aiproxy_api_key) == 1


def test_settings_do_not_change(from_environ):
    settings = from_environ()
    with pytest.raises(ValidationError):
        settings.port = 1


# ---- vendors ----


def test_any_vendor_of_the_models_file_has_its_key_and_address(tmp_path):
    settings = read(tmp_path, "GROQ_API_KEY=from-file\nGROQ_BASE_URL=http://localhost\n", XAI_API_KEY=" from-environ\n")
    assert settings.vendor_value("GROQ_API_KEY") == "from-file"
    assert settings.vendor_value("GROQ_BASE_URL") == "http://localhost"
    assert settings.vendor_value("XAI_API_KEY") == "from-environ"
    assert settings.vendor_value("MISTRAL_API_KEY") is None


def test_known_vendors_are_found_by_the_same_way(from_environ):
    settings = from_environ(OPENAI_API_KEY="key", OPENAI_BASE_URL="http://localhost/v1")
    assert settings.vendor_value("OPENAI_API_KEY") == "key"
    assert settings.vendor_value("OPENAI_BASE_URL") == "http://localhost/v1"


@pytest.mark.parametrize("name", ["AIPROXY_API_KEY", "HONEYBADGER_API_KEY", "PROXY_API_KEY"])
def test_our_own_keys_are_no_vendors(from_environ, name):
    """A row of models.toml that names one of them must not send it away."""
    assert from_environ(**{name: LONG_KEY}).vendor_value(name) is None


@pytest.mark.parametrize("environment", ["test", "production"])
def test_the_agents_keys_are_long_too(from_environ, environment):
    with pytest.raises(SettingsError, match="PROXY_API_KEY must have"):
        from_environ(ENVIRONMENT_TYPE=environment, AIPROXY_API_KEY=LONG_KEY, PROXY_API_KEY="short")


def test_the_agents_key_is_no_main_key(from_environ):
    with pytest.raises(SettingsError, match="PROXY_API_KEY must not be one of AIPROXY_API_KEY"):
        from_environ(AIPROXY_API_KEY=f"{LONG_KEY},other", PROXY_API_KEY=f"third,{LONG_KEY}")


def test_the_secret_of_hashes_is_long_everywhere(from_environ):
    with pytest.raises(SettingsError, match="KEY_SECRET: must have at least 16 characters"):
        from_environ(KEY_SECRET="short")


@pytest.mark.parametrize(
    ("environ", "is_open"),
    [
        ({}, True),
        ({"HOST": "localhost"}, True),
        ({"HOST": "0.0.0.0"}, False),
        ({"AIPROXY_API_KEY": LONG_KEY}, False),
        ({"PROXY_API_KEY": LONG_KEY}, False),
        ({"ENVIRONMENT_TYPE": "test", "AIPROXY_API_KEY": LONG_KEY}, False),
    ],
    ids=str,
)
def test_only_development_on_loopback_without_any_key_is_open(from_environ, environ, is_open):
    assert from_environ(**environ).open_here is is_open


# ---- secrets ----


def test_no_secret_is_shown(from_environ):
    settings = from_environ(**SECRETS)
    shown = [repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump()), f"{settings}"]
    assert [text for text in shown if "secret-" in text] == []


def test_what_the_log_must_hide_is_every_secret(from_environ):
    held = {part.strip() for value in SECRETS.values() for part in value.split(",")}
    assert set(from_environ(**SECRETS, OPENAI_BASE_URL="http://localhost/v1").secret_values()) == held


def test_a_fault_in_the_same_settings_shows_none(from_environ):
    with pytest.raises(SettingsError) as caught:
        from_environ(**SECRETS, PORT="http", ALLOWED_ORIGINS="*")
    assert "secret-" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["RUN_TTL_HOURS", "LEDGER_RETENTION_DAYS"])
def test_no_length_of_time_is_more_than_a_century(from_environ, name):
    with pytest.raises(SettingsError, match=f"{name}: "):
        from_environ(**{name: "1e13"})


@pytest.mark.parametrize("value", ["inf", "nan", "-1"])
def test_a_time_is_a_number_of_seconds(from_environ, value):
    with pytest.raises(SettingsError, match="GRACEFUL_TIMEOUT_SECONDS"):
        from_environ(GRACEFUL_TIMEOUT_SECONDS=value)


STORES = {"DATABASE_URL": "postgresql://ada:{}@db/books", "REDIS_URL": "redis://ada:{}@cache:6379/0"}


@pytest.mark.parametrize("name", STORES)
@pytest.mark.parametrize(("written", "meant"), [("secret-word", "secret-word"), ("secret%2Fword", "secret/word")])
def test_the_password_of_a_store_is_a_secret(from_environ, name, written, meant):
    settings = from_environ(**{name: STORES[name].format(written)})
    assert {written, meant} <= set(settings.secret_values())
    shown = repr(settings) + settings.model_dump_json()
    assert written not in shown
    assert meant not in shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://cache",
        "redis://cache:6379/0",
        "redis://:word@127.0.0.1:6379",
        "rediss://ada:w%40rd@cache.example.org:6380/1?ssl_cert_reqs=none",
        "redis://[::1]:6379",
        "valkey://cache",
        "unix:///run/redis.sock?db=1",
    ],
)
def test_addresses_of_redis(from_environ, url):
    assert from_environ(REDIS_URL=url).redis_url.get_secret_value() == url


@pytest.mark.parametrize(
    "url",
    [
        "cache:6379",
        "http://cache",
        "redis:///0",
        "redis://:word@",
        "redis://cache:port",
        "redis://cache/x",
        "unix://x",
        "redis://a b",
    ],
)
def test_an_address_of_redis_that_is_none(from_environ, url):
    with pytest.raises(SettingsError, match="REDIS_URL") as caught:
        from_environ(REDIS_URL=url)
    assert url not in str(caught.value)


@pytest.mark.parametrize("url", ["nope", "ftp://host", "https://", "https://user:word@host", "https://host?key=1"])
def test_the_address_of_error_reports_is_a_plain_one(from_environ, url):
    with pytest.raises(SettingsError, match="HONEYBADGER_ENDPOINT"):
        from_environ(HONEYBADGER_ENDPOINT=url)


# ---- the stores' passwords ----


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("postgresql+psycopg://user@host:5432/base", "postgresql+psycopg://user:p%2Fw%40%3A%25@host:5432/base"),
        ("postgresql://host/base", "postgresql://:p%2Fw%40%3A%25@host/base"),
        ("postgresql:///base?host=/run", "postgresql://:p%2Fw%40%3A%25@/base?host=/run"),
        ("postgresql://user:mine@host/base", "postgresql://user:mine@host/base"),
        ("sqlite:///var/a.db", "sqlite:///var/a.db"),
    ],
)
def test_the_databases_password_is_put_into_its_address(from_environ, url, whole):
    settings = from_environ(DATABASE_URL=url, DATABASE_PASSWORD="p/w@:%")
    assert settings.database_url.get_secret_value() == whole


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("redis://host:6379/0", "redis://:p%2Fw%40%3A%25@host:6379/0"),
        ("rediss://user@host", "rediss://user:p%2Fw%40%3A%25@host"),
        ("unix:///run/redis.sock?db=1", "unix://:p%2Fw%40%3A%25@/run/redis.sock?db=1"),
        ("valkey://:mine@host/1", "valkey://:mine@host/1"),
    ],
)
def test_the_password_of_redis_is_put_into_its_address(from_environ, url, whole):
    settings = from_environ(REDIS_URL=url, REDIS_PASSWORD="p/w@:%")
    assert settings.redis_url.get_secret_value() == whole


def test_a_password_without_an_address_is_only_kept_out_of_the_log(from_environ):
    settings = from_environ(DATABASE_PASSWORD="secret-of-the-database", REDIS_PASSWORD="none")
    assert settings.database_url.get_secret_value() == "sqlite:///var/aiproxy.db"
    assert settings.redis_password is None
    assert list(settings.secret_values()) == ["secret-of-the-database"]


# ---- secrets of elsewhere ----


def test_secrets_come_after_the_environment_and_the_file(tmp_path):
    (tmp_path / "config.txt").write_text("CHUTES_API_KEY=of-the-file\n")
    secrets = dict.fromkeys(["OPENAI_API_KEY", "CHUTES_API_KEY", "GROQ_API_KEY"], "of-elsewhere")
    settings = load({"OPENAI_API_KEY": "of-the-environment"}, tmp_path / "config.txt", secrets)
    values = [settings.vendor_value(name) for name in secrets]
    assert values == ["of-the-environment", "of-the-file", "of-elsewhere"]


def test_none_stands_for_a_secret_that_is_not_used_and_for_nothing_else(from_environ):
    settings = from_environ(GROQ_API_KEY="none", PROXY_API_KEY=" none", DATABASE_URL="none", CHUTES_BASE_URL="none")
    assert settings.vendor_values.keys() == {"CHUTES_BASE_URL"}
    assert settings.proxy_api_key == ()
    assert settings.database_url.get_secret_value() == "sqlite:///var/aiproxy.db"


def test_a_command_needs_no_key_of_callers(tmp_path):
    environ = {"ENVIRONMENT_TYPE": "production"}
    assert load(environ, tmp_path / "absent.txt", serves=False).environment_type == "production"
    with pytest.raises(SettingsError, match="AIPROXY_API_KEY must be set"):
        load(environ, tmp_path / "absent.txt")


@pytest.mark.parametrize("name", ["", "a b", "https://a.example", "a/b", "-a", "a.example."])
def test_the_hosts_name_is_one(from_environ, name):
    if not name:
        assert from_environ(DNS_RECORD=name).dns_record == "localhost"
        return
    with pytest.raises(SettingsError, match="DNS_RECORD: must be a host name"):
        from_environ(DNS_RECORD=name)
