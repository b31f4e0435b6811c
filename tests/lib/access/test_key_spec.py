"""What a managed key may do: what is read, what is refused, and that a refusal names the field and shows nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.access.amounts import parse_budget, show_budget
from lib.access.caller import FAMILIES
from lib.access.key_spec import LONGEST_LIFE, MAX_LIST, MAX_RATE, MAX_TAGS, KeySpec, is_name, read_key
from lib.base import Budget
from lib.base.errors import BadRequest

NOW = 1_800_000_000_000  # 2027-01-15T08:00:00Z
DAY = 86_400_000


def read(**fields):
    return read_key({"name": "shop", **fields}, NOW)


def refused(param, **fields):
    """The message of a refusal that names `param`."""
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    assert caught.value.param == param
    assert f"`{param}`" in caught.value.message
    return caught.value.message


# ---- what is read ----


def test_a_name_is_enough():
    new = read()
    assert (new.name, new.expires_at) == ("shop", None)
    assert new.spec == KeySpec()
    assert set(new.spec.scopes) == FAMILIES
    assert (new.spec.models, new.spec.budgets, new.spec.rpm, new.spec.tags) == (("*",), (), None, {})


def test_everything_at_once():
    new = read(
        scopes=["openai", "admin", "openai"],
        models=["gpt-4o*", "bedrock/*", "claude-[!3]*"],
        budgets=["50/month", "2.50/day", "1000000000/total", "0.000000001/week"],
        rpm=60,
        tpm="100000",
        allow_ips=["10.0.0.0/8", "", " 2001:db8::1 "],
        expires="2027-02-01",
        tags={"team": "Ünits & más", "cost-centre": "12"},
    )
    assert new.spec.scopes == ("admin", "openai")
    assert new.spec.budgets == (
        Budget(50_000_000_000, "month"),
        Budget(2_500_000_000, "day"),
        Budget(10**18, "total"),
        Budget(1, "week"),
    )
    assert (new.spec.rpm, new.spec.tpm) == (60, 100_000)
    assert new.spec.allow_ips == ("10.0.0.0/8", "2001:db8::1")
    assert new.expires_at == 1_801_440_000_000
    assert KeySpec.decode(new.spec.encode()) == new.spec
    assert new.spec.shown()["budgets"] == ["50/month", "2.50/day", "1000000000/total", "0.000000001/week"]


def test_null_is_the_default():
    fields = ["scopes", "models", "budgets", "rpm", "tpm", "allow_ips", "expires", "tags"]
    assert read(**dict.fromkeys(fields)) == read()


def test_what_is_shown_can_be_read_again():
    spec = read(budgets=["50/month"], rpm=5, tags={"a": "b"}, allow_ips=["::1"]).spec
    assert read(**spec.shown()).spec == spec


# ---- what is refused ----

NASTY = ["'; DROP TABLE keys; --", "$(reboot)", "`id`", "a\x00b", "a\nb", "\x1b[31m", "<script>", "\u202e", "é", "%s"]


@pytest.mark.parametrize("name", ["a", "0", "web-shop", "team/app_1", "A@b.example", "a b", ".hidden", "x" * 128])
def test_a_good_name(name):
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", " ", " a", "a ", "-a", "--help", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/./b", "x" * 129, "a,b",
     *NASTY],
)  # fmt: skip
def test_a_bad_name(name):
    assert not is_name(name)
    assert name.strip() == "" or len(name) < 4 or name not in refused("name", name=name)


@pytest.mark.parametrize("name", [None, 7, True, ["a"], {"a": 1}, "main", "agents", "anonymous"])
def test_no_name(name):
    refused("name", name=name)


@pytest.mark.parametrize(
    "budget",
    ["-5/month", "NaN/month", "nan/day", "inf/day", "Infinity/total", "1e9/month", "0/day", "0.0/day", "5", "/day",
     "5/", "5/year", "5/Month", "1000000001/total", "9" * 30 + "/total", "0.0000000001/day", "$5/day", "5,00/day",
     "\u0665/day", "5/day/week", "+5/day", " ", "", "1_000/day", "0x10/day", *NASTY],
)  # fmt: skip
def test_a_bad_budget(budget):
    message = refused("budgets", budgets=[budget])
    assert len(budget) < 6 or budget not in message


@pytest.mark.parametrize("budgets", ["50/month", 50, [50], [None], {"month": 50}, ["5/day", "6/day"], ["1/day"] * 5000])
def test_bad_budgets(budgets):
    if budgets == ["1/day"] * 5000:
        assert f"at most {MAX_LIST}" in refused("budgets", budgets=budgets)
    else:
        refused("budgets", budgets=budgets)


@pytest.mark.parametrize("field", ["rpm", "tpm"])
@pytest.mark.parametrize(
    "rate",
    [0, -1, 1.5, 1.0, float("nan"), float("inf"), True, False, MAX_RATE + 1, 10**40, "", "1.5", "-1", "1e3", "ten",
     "9" * 5000, [5], {"a": 5}, "\u0665", *NASTY],
)  # fmt: skip
def test_a_bad_rate(field, rate):
    refused(field, **{field: rate})


@pytest.mark.parametrize(
    "scopes",
    ["openai", [], ["nonsense"], ["openai", "Admin"], ["*"], [""], [7], ["openai "], [["openai"]],
     *[[n] for n in NASTY]],
)  # fmt: skip
def test_bad_scopes(scopes):
    assert "nonsense" not in refused("scopes", scopes=scopes)


@pytest.mark.parametrize(
    "models",
    ["*", [], [""], ["a b"], ["x" * 257], [None], [str(n) for n in range(101)], *[[n] for n in NASTY]],
)  # fmt: skip
def test_bad_models(models):
    refused("models", models=models)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.0/33", "10.0.0.256", "10.0.0", "::1/129", "localhost", "10.0.0.0/-1", "10.0.0.0/8/8", "fe80::1%eth0",
     "0x0a.0.0.1", "1" * 5000, *NASTY],
)  # fmt: skip
def test_a_bad_address(address):
    message = refused("allow_ips", allow_ips=["10.0.0.1", address])
    assert "entry 2" in message
    assert address not in message


@pytest.mark.parametrize("addresses", ["10.0.0.1", [10], {"10.0.0.1": 1}, [None]])
def test_bad_addresses(addresses):
    refused("allow_ips", allow_ips=addresses)


@pytest.mark.parametrize(
    "expires",
    ["2027-01-15", "2027-01-15T08:00:00Z", "2026-12-31", "1970-01-01", "0001-01-01", "2127-01-15", "9999-12-31",
     "10000-01-01", "2027-02-30", "2027-13-01", "2027-02-01T25:00:00Z", "2027-02-01T00:00:60Z", "2027-02-01T00:00:00",
     "20270201", "2027-W05-1", "01.02.2027", "tomorrow", "", "-2027-02-01", "2027-02-01T00:00:00+99:00",
     "\u0662027-02-01", 7, 1_900_000_000, ["2027-02-01"], True, *NASTY],
)  # fmt: skip
def test_a_bad_expiry(expires):
    message = refused("expires", expires=expires)
    assert not isinstance(expires, str) or len(expires) < 6 or expires not in message.replace("2027-01-31", "")


def test_the_edges_of_an_expiry():
    assert read(expires="2027-01-15T08:00:01Z").expires_at == NOW + 1000
    assert read(expires="2027-01-16").expires_at == NOW + 16 * 3_600_000
    assert read(expires="2126-12-20").expires_at < NOW + LONGEST_LIFE


@pytest.mark.parametrize(
    "tags",
    [[], ["a=b"], "a=b", {"": "x"}, {"a b": "x"}, {"a": ""}, {"a": 7}, {"a": None}, {"a": "x" * 257}, {"a" * 65: "x"},
     {7: "x"}, {str(n): "x" for n in range(MAX_TAGS + 1)}, {"a": "\x00"}, {"a": "b\nc"}, {"a": "\ud800"},
     {"ключ": "x"}],
)  # fmt: skip
def test_bad_tags(tags):
    refused("tags", tags=tags)


def test_an_unknown_field_is_named_if_it_can_be():
    with pytest.raises(BadRequest) as caught:
        read(colour="red")
    assert caught.value.param == "colour"
    with pytest.raises(BadRequest) as caught:
        read(**{"'; DROP TABLE keys": 1})
    assert caught.value.param is None
    with pytest.raises(BadRequest) as caught:
        read(**{f"aip-{'a' * 43}": 1})  # a key in the wrong place
    assert caught.value.param is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["name", *KeySpec.__dataclass_fields__, "expires", "other"]), JSON))
def test_whatever_comes_it_is_read_or_refused(fields):
    try:
        new = read_key(fields, NOW)
    except BadRequest:
        return
    assert KeySpec.decode(new.spec.encode()) == new.spec


@given(st.integers(1, 10**18), st.sampled_from(["day", "week", "month", "total"]))
def test_a_budget_that_is_shown_can_be_read(amount, period):
    budget = Budget(amount, period)
    assert parse_budget(show_budget(budget)) == budget
