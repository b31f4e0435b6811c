"""access.toml: what it may say, and that every fault is named with its place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lib.access import SCOPES, AccessFile, Requirement, load_access
from lib.base import SettingsError

ROOT = Path(__file__).parents[3]
ISSUER = '[issuers.acme]\nissuer = "https://acme.example/"\naudience = "api"\njwks_url = "https://acme.example/keys"\n'
NO_KEYS = '[issuers.acme]\nissuer = "https://acme.example/"\naudience = "api"\n'


@pytest.fixture
def read(tmp_path):
    def read(text: str) -> AccessFile:
        file = tmp_path / "access.toml"
        file.write_text(text)
        return load_access(file)

    return read


def test_without_a_file_there_are_no_issuers(tmp_path):
    assert load_access(tmp_path / "absent.toml") == AccessFile()


def test_an_empty_file_is_enough(read):
    assert read("").issuers == {}


def test_an_issuer_has_its_defaults(read):
    row = read(ISSUER).issuers["acme"]
    assert (row.algorithms, row.keys_seconds, row.name_claim, row.models) == (("RS256",), 300.0, "sub", ("*",))
    assert (row.scopes, row.scopes_claim, row.budgets, row.budget_claim, row.rpm, row.tpm) == (
        (),
        None,
        (),
        None,
        None,
        None,
    )
    assert (row.audiences, row.tags, row.requirements) == (frozenset({"api"}), {}, ())


def test_the_samples_of_this_project_are_good():
    issuers = load_access(ROOT / "access.toml.sample").issuers
    assert set(issuers) == {"auth0", "gitlab"}
    (verified,) = issuers["auth0"].requirements
    assert (verified.values, verified.unless) == ((True,), {"sub": "*@clients"})
    assert issuers["gitlab"].requirements == (Requirement(("gitlab_realm",), ("saas", "self-managed")),)
    assert issuers["gitlab"].tags == {name: name for name in ("gitlab_realm", "gitlab_instance_id")}


def test_the_sample_names_every_scope():
    assert [scope for scope in SCOPES if scope not in (ROOT / "access.toml.sample").read_text()] == []


def test_everything_that_may_be_said_is_in_the_sample():
    sample = (ROOT / "access.toml.sample").read_text()
    row = load_access(ROOT / "access.toml.sample").issuers["auth0"]
    assert [name for name in row.__struct_fields__ if name not in sample] == []


@pytest.mark.parametrize("budget", ["50/month", "0.01/day", "1.5/week", "1000000000/total", "0.000000001/total"])
def test_a_budget(read, budget):
    (parsed,) = read(ISSUER + f"budgets = ['{budget}']").issuers["acme"].amounts
    amount, _, name = budget.partition("/")
    assert (Decimal(parsed.amount), parsed.period) == (Decimal(amount) * 10**9, name)


FAULTS = [
    ("not toml", "issuers = [", ""),
    ("unknown table", "[issuer.acme]\n", "issuer"),
    ("an issuer that is no table", "issuers = { acme = 1 }", "issuers"),
    ("unknown key", ISSUER + "algorithm = 'RS256'", "issuers.acme: "),
    ("unknown key of a requirement", ISSUER + "required = [{ claim = 'x' }]", "issuers.acme: "),
    ("no issuer", "[issuers.acme]\naudience = 'a'\njwks_url = 'https://a.example'", "issuer"),
    ("no audience", "[issuers.acme]\nissuer = 'a'\njwks_url = 'https://a.example'", "audience"),
    ("wrong type", ISSUER + "rpm = 'many'", "issuers.acme: Expected `int | null`"),
    ("no signature", ISSUER + "algorithms = ['none']", "algorithms"),
    ("a shared secret", ISSUER + "algorithms = ['RS256', 'HS256']", "algorithms"),
    ("another curve", ISSUER + "algorithms = ['ES384']", "algorithms"),
    ("no algorithm", ISSUER + "algorithms = []", "issuers.acme.algorithms: is empty"),
    ("a bad name", ISSUER.replace("acme]", '"a b"]'), "issuers.a b: a name"),
    ("an empty issuer", ISSUER.replace("https://acme.example/", "", 1), "issuers.acme.issuer: is empty"),
    ("one issuer twice", ISSUER + ISSUER.replace("acme]", "b]"), "issuers.b.issuer: is the one of issuers.acme too"),
    ("no way to the keys", NO_KEYS, "issuers.acme.jwks_url: either"),
    ("two ways to the keys", ISSUER + "discovery = true", "issuers.acme.jwks_url: either"),
    ("keys over plain http", NO_KEYS + "jwks_url = 'http://acme.example/keys'", "acme.jwks_url: must be a https"),
    ("keys in a file", NO_KEYS + "jwks_url = 'file:///keys'", "acme.jwks_url: must be a https"),
    ("discovery over plain http", NO_KEYS.replace("https", "http") + "discovery = true", "acme.issuer: must be"),
    ("keys that are never fresh", ISSUER + "keys_seconds = 0", "issuers.acme.keys_seconds"),
    ("keys that are fresh for ever", ISSUER + "keys_seconds = inf", "issuers.acme.keys_seconds"),
    ("keys fresh for no number", ISSUER + "keys_seconds = nan", "issuers.acme.keys_seconds"),
    ("no audience in the list", ISSUER.replace('"api"', "[]"), "issuers.acme.audience"),
    ("an empty audience", ISSUER.replace('"api"', '["api", ""]'), "issuers.acme.audience"),
    ("an empty claim", ISSUER + "name_claim = ''", "issuers.acme.name_claim"),
    ("a requirement of nothing", ISSUER + "required = [{ claims = [] }]", "issuers.acme.required: entry 1"),
    ("a requirement without a value", ISSUER + "required = { a = 1, b = [] }", "issuers.acme.required: entry 2"),
    ("two scopes in one", ISSUER + "scopes = ['chat agents']", "issuers.acme.scopes"),
    ("an unknown scope", ISSUER + "scopes = ['chat', 'everything']", "issuers.acme.scopes"),
    ("an empty scope", ISSUER + "scopes = ['']", "issuers.acme.scopes"),
    ("no model", ISSUER + "models = []", "issuers.acme.models"),
    ("no requests", ISSUER + "rpm = 0", "issuers.acme.rpm"),
    ("negative tokens", ISSUER + "tpm = -1", "issuers.acme.tpm"),
    ("a period twice", ISSUER + "budgets = ['5/day', '9/week', '6/day']", "issuers.acme.budgets: entry 3"),
    *(
        (f"the budget {budget}", ISSUER + f"budgets = ['5/day', '{budget}']", "issuers.acme.budgets: entry 2")
        for budget in ("50", "0/day", "0.0/day", "-1/day", "nan/day", "1e3/day", "5/year", "5/Day", "/day", "5 / day",
                       "1000000000.1/day", "1.2.3/day", "\u0665/day", "")
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_a_fault_is_named_with_the_file_and_its_place(read, tmp_path, text, place):
    with pytest.raises(SettingsError) as caught:
        read(text)
    assert str(caught.value).startswith(f"{tmp_path / 'access.toml'}: ")
    assert place in str(caught.value)


def test_every_fault_gets_a_line(read):
    with pytest.raises(SettingsError) as caught:
        read(ISSUER + "rpm = 0\ntpm = 0\n" + ISSUER.replace("acme]", "b]") + "rpm = 'x'\n[issuers.c]\n")
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[2].partition(": ")[0] for line in lines] == [
        "issuers.b", "issuers.c", "issuers.acme.rpm", "issuers.acme.tpm",
    ]  # fmt: skip


def test_a_folder_of_that_name_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_access(tmp_path)


def test_a_file_that_is_not_utf8_is_refused(tmp_path):
    file = tmp_path / "access.toml"
    file.write_bytes(b"[issuers.\xff]")
    with pytest.raises(SettingsError, match=r"access\.toml"):
        load_access(file)
