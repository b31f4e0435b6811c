"""Which deployment, and with which key: variables, live-test.toml, key files, tokens that are kept."""

from __future__ import annotations

import json
import stat

import pytest

from lib.cli import live_trouble
from lib.cli.live_environments import Environment, Unusable, credential, find, keep_key, known
from lib.cli.live_trouble import explain
from tests.lib.cli.live_issuer import Issuer

TABLE = """
[test]
url = "https://aiproxy-test.example.org/"
client_id = "from-the-file"
audience = "https://audience.example.org"
"""
HTTPS = "https://aiproxy.example.org"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder with a live-test.toml, and an environment in which only its folder is known."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "live-test.toml").write_text(TABLE)
    return {"HOME": str(tmp_path)}


def test_an_environment_is_in_variables_and_in_the_file(home):
    assert find("local", None, home).url == "http://127.0.0.1:5000"
    assert find("local", None, {**home, "PORT": "5999"}).url == "http://127.0.0.1:5999"
    assert find("test", None, home).url == "https://aiproxy-test.example.org"
    assert find("test", None, {**home, "TEST_BASE_URL": HTTPS}).url == HTTPS
    assert find("test", HTTPS, {**home, "TEST_BASE_URL": "https://other.example.org"}).url == HTTPS
    assert find("test", None, {**home, "TEST_CLIENT_ID": "from-a-variable"}).fields["client_id"] == "from-a-variable"
    assert known({**home, "PRODUCTION_BASE_URL": HTTPS}) == ["local", "production", "test"]


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("production", None),
        ("Test", HTTPS),
        ("../x", HTTPS),
        ("test", "http://aiproxy.example.org"),
        ("test", "ftp://aiproxy.example.org"),
        ("test", "https://user:password@aiproxy.example.org"),
        ("test", "aiproxy.example.org"),
    ],
)
def test_what_is_no_environment_is_refused(home, name, url):
    with pytest.raises(Unusable) as refused:
        find(name, url, home)
    assert "password" not in str(refused.value)


@pytest.mark.parametrize("text", ["[test\n", "[test]\nsecret_word = 'x'\n", "[test]\nurl = 5\n", "test = 1\n"])
def test_a_bad_file_is_refused(home, tmp_path, text):
    (tmp_path / "live-test.toml").write_text(text)
    with pytest.raises(Unusable, match=r"live-test\.toml"):
        find("test", HTTPS, home)


def test_the_key_that_is_said_most_plainly_counts(home, tmp_path):
    file = tmp_path / "a.key"
    file.write_text("key-of-a-file\n")
    file.chmod(0o600)
    environ = {**home, "TEST_API_KEY": "key-of-test", "AIPROXY_API_KEY": "key-of-all, another"}
    test, other = find("test", HTTPS, environ), find("other", HTTPS, environ)
    assert credential(test, file, environ) == "key-of-a-file"
    assert credential(test, None, environ) == "key-of-test"
    assert credential(other, None, environ) == "key-of-all"
    assert credential(other, None, home) is None
    kept = keep_key("other", "key-that-is-kept", environ)
    assert (stat.S_IMODE(kept.stat().st_mode), stat.S_IMODE(kept.parent.stat().st_mode)) == (0o600, 0o700)
    assert credential(other, None, environ) == "key-that-is-kept"


def test_config_txt_is_for_this_machine_alone(home, tmp_path):
    (tmp_path / "config.txt").write_text("AIPROXY_API_KEY=key-of-the-config\n")
    assert credential(find("local", None, home), None, home) == "key-of-the-config"
    assert credential(find("test", None, {**home, "TEST_CLIENT_ID": ""}), None, home) is None


@pytest.mark.parametrize(("mode", "text"), [(0o640, "key"), (0o604, "key"), (0o600, ""), (0o600, "two\nlines")])
def test_a_key_file_is_its_owners_alone(home, tmp_path, mode, text):
    file = tmp_path / "a.key"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(Unusable):
        credential(find("test", HTTPS, home), file, home)


# ---- tokens ----


@pytest.fixture
def asked(home):
    """An issuer, and the variables with which it is asked."""
    with Issuer("a-token-0123456789") as issuer:
        yield issuer, {**home, "TEST_TOKEN_URL": issuer.url, "TEST_SECRET": "a-secret-0123456789"}


def token_of(environ, **options):
    return credential(find("test", None, environ), None, environ, **options)


def test_a_token_is_asked_for_once_and_kept_until_it_expires(asked, tmp_path):
    issuer, environ = asked
    assert [token_of(environ) for _ in range(3)] == ["a-token-0123456789"] * 3
    assert issuer.asked == [
        {
            "client_id": "from-the-file",
            "client_secret": "a-secret-0123456789",
            "audience": "https://audience.example.org",
            "grant_type": "client_credentials",
        }
    ]
    kept = tmp_path / ".cache/aiproxy/test.token"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "a-secret" not in kept.read_text()
    value = json.loads(kept.read_text())
    kept.write_text(json.dumps({**value, "until": 0}))
    token_of(environ)
    assert len(issuer.asked) == 2
    token_of(environ, fresh=True)
    assert len(issuer.asked) == 3


def test_a_token_is_for_one_client_only_and_nobody_elses_to_read(asked, tmp_path):
    issuer, environ = asked
    token_of(environ)
    token_of({**environ, "TEST_CLIENT_ID": "another"})
    assert len(issuer.asked) == 2
    (tmp_path / ".cache/aiproxy/test.token").chmod(0o644)
    token_of({**environ, "TEST_CLIENT_ID": "another"})
    assert len(issuer.asked) == 3


@pytest.mark.parametrize("answer", [[], {}, {"access_token": 5}])
def test_an_issuer_that_makes_no_sense(asked, answer):
    issuer, environ = asked
    issuer.answer = answer
    with pytest.raises(Unusable, match="no token for test"):
        token_of(environ)


def test_an_issuer_that_refuses_is_not_quoted(asked):
    issuer, environ = asked
    issuer.status, issuer.answer = 403, {"error": "a-secret-0123456789 is wrong"}
    with pytest.raises(Unusable, match="answered 403") as refused:
        token_of(environ)
    assert "a-secret" not in str(refused.value)


def test_a_client_without_a_secret_is_told_what_is_lacking(asked):
    with pytest.raises(Unusable, match="no SECRET"):
        token_of({**asked[1], "TEST_SECRET": ""})
    with pytest.raises(Unusable, match="TOKEN_URL must be https"):
        token_of({**asked[1], "TEST_TOKEN_URL": "http://issuer.example.org/"})


# ---- what may be wrong ----


def test_secrets_without_a_value_are_named(home, tmp_path, monkeypatch):
    (tmp_path / "fake_check.py").write_text(
        "import os, sys\n"
        "print('openai_api_key  empty', os.environ['ENVIRONMENT_TYPE'], os.environ['DNS_RECORD'], sys.argv)"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(live_trouble, "CHECK", "fake_check")
    environ = {**home, "PYTHONPATH": str(tmp_path), "AWS_ACCESS_KEY_ID": "x"}
    there = Environment("test", HTTPS)
    told = explain(there, environ)
    assert told is not None
    assert told.startswith("openai_api_key  empty test aiproxy.example.org")
    assert "--check" in told
    assert explain(there, home) is None  # without credentials nobody is asked
    assert explain(Environment("local", "http://127.0.0.1:5000"), environ) is None
