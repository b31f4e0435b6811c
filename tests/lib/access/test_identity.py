"""What the claims of a verified token mean: name, scopes, budget key, tags, required claims."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.access import IssuerRow, Requirement, TokenIdentity
from lib.access.identity import identify
from lib.access.token_callers import MAX_NAME, caller_of
from lib.base import Budget
from lib.base.errors import Unauthorized

VERIFIED = Requirement(("https://example.com/email_verified", "email_verified"), True, {"sub": "*@clients"})


def who(claims: dict[str, Any] | None = None, **row: Any) -> TokenIdentity:
    """The identity of someone named ada, with more claims."""
    issuer = IssuerRow(issuer="https://acme.example", audience="api", jwks_url="https://acme.example/keys", **row)
    return identify("acme", issuer, {"sub": "ada", **(claims or {})})


def code(claims: dict[str, Any], **row: Any) -> str | None:
    with pytest.raises(Unauthorized) as caught:
        who(claims, **row)
    assert caught.value.message == Unauthorized.message
    return caught.value.detail


# ---- names ----


def test_what_the_file_grants_is_handed_on():
    identity = who(budgets=("5/day",), rpm=3, tpm=4, models=("gpt-*",), scopes=("chat",))
    assert (identity.issuer, identity.name, identity.budget_key) == ("acme", "ada", "ada")
    assert identity.budgets == (Budget(5 * 10**9, "day"),)
    assert (identity.rpm, identity.tpm, identity.models, identity.scopes) == (3, 4, ("gpt-*",), {"chat"})


def test_another_claim_may_name_the_caller():
    assert who({"email": "ada@example.com"}, name_claim="email").name == "ada@example.com"
    assert who({"id": 42}, name_claim="id").name == "42"
    assert who({"https://example.com/näme": "Ada 👩‍🔬"}, name_claim="https://example.com/näme").name == "Ada 👩‍🔬"


NO_NAMES = [None, "", " ", " ada", "a\nb", "a\x00b", "a\x7f", "a\x85b", "x" * 257, True, 1.5, 2**70, ["ada"], {"a": 1}]


@pytest.mark.parametrize("value", NO_NAMES, ids=repr)
def test_what_is_no_name(value):
    assert code({"sub": value}) == "token: name"


def test_claims_cannot_be_changed_and_are_not_shown():
    identity = who({"secret": "of-ada"})
    assert identity.claims["secret"] == "of-ada"
    assert "of-ada" not in repr(identity)
    with pytest.raises(TypeError):
        identity.claims["sub"] = "eve"  # type: ignore[index]


# ---- scopes ----


@pytest.mark.parametrize(
    ("value", "scopes"),
    [
        ("chat agents", {"chat", "agents"}),
        (" chat  agents ", {"chat", "agents"}),
        (["chat", "agents"], {"chat", "agents"}),
        (["chat", 7, None, "", "two words", ["x"], "x" * 300], {"chat"}),
        ("chatter", {"chatter"}),
        ("chat,agents", {"chat,agents"}),
        ("Chat", {"Chat"}),
        ("", set()),
        (None, set()),
        (7, set()),
        (True, set()),
        ({"chat": True}, set()),
        ("chat\nadmin", set()),
    ],
)
def test_scopes_are_whole_words(value, scopes):
    assert who({"scope": value}, scopes_claim="scope").scopes == scopes


def test_granted_scopes_are_added():
    assert who({"scope": "chat"}, scopes_claim="scope", scopes=("agents",)).scopes == {"chat", "agents"}


def test_no_claim_is_believed_unless_it_is_named():
    assert who({"scope": "admin", "scopes": ["admin"]}).scopes == set()


# ---- budget keys and tags ----


def test_a_claim_may_be_the_budget_key():
    assert who({"org": "acme"}, budget_claim="org").budget_key == "acme"
    assert who({"org": 7}, budget_claim="org", budgets=("5/day",)).budget_key == "7"


@pytest.mark.parametrize("value", NO_NAMES, ids=repr)
def test_without_its_budget_key_nobody_spends(value):
    assert code({"org": value}, budget_claim="org") == "token: budget key"


def test_without_budgets_there_is_no_budget_key():
    assert who().budget_key is None


def test_tags_are_claims_that_can_be_written_down():
    claims = {"team": "red", "seats": 5, "paid": True, "list": ["x"], "long": "x" * 300, "none": None, "nl": "a\nb"}
    assert who(claims, tags_claims=(*claims, "absent")).tags == {"team": "red", "seats": "5", "paid": "true"}


def test_tags_may_have_other_names():
    assert who({"https://e.com/t": "red"}, tags_claims={"team": "https://e.com/t"}).tags == {"team": "red"}


# ---- required claims ----


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": True},
        {"https://example.com/email_verified": True},
        {"https://example.com/email_verified": False, "email_verified": True},
        {"sub": "abc@clients"},
    ],
    ids=str,
)
def test_one_of_several_claims_is_enough_and_programs_are_exempt(claims):
    who(claims, required=(VERIFIED,))


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email_verified": None},
        {"email_verified": {"value": True}},
        {"sub": "abc@clients.example.com"},
        {"sub": "@Clients"},
        {"azp": "abc@clients"},
    ],
    ids=str,
)
def test_what_is_not_exactly_so_is_not_enough(claims):
    assert code(claims, required=(VERIFIED,)) == "token: required https://example.com/email_verified"


@pytest.mark.parametrize(
    ("required", "value", "holds"),
    [
        ("saas", "saas", True),
        ("saas", "saas-x", False),
        ("saas", "SAAS", False),
        ("saas", ["other", "saas"], True),
        ("saas", ["other"], False),
        ("saas", [["saas"]], False),
        (("saas", "self"), "self", True),
        (("saas", "self"), "other", False),
        (1, 1, True),
        (1, True, False),
        (1, 1.0, False),
        (False, False, True),
        (False, 0, False),
        (False, None, False),
    ],
)
def test_values_are_compared_with_their_types(required, value, holds):
    try:
        who({"realm": value}, required={"realm": required})
    except Unauthorized:
        assert not holds
    else:
        assert holds


def test_all_requirements_must_hold():
    required = {"a": 1, "b": 2}
    who({"a": 1, "b": 2}, required=required)
    assert code({"a": 1}, required=required) == "token: required b"


# ---- junk ----

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)
CLAIM = st.sampled_from(["sub", "scope", "org", "team", "email_verified"])


@given(st.dictionaries(CLAIM, JSON))
def test_no_claims_upset_it(claims):
    try:
        identity = who(
            claims, scopes_claim="scope", budget_claim="org", tags_claims=("team",), required={"email_verified": True}
        )
    except Unauthorized:
        return
    msgspec.json.encode([identity.name, identity.budget_key, sorted(identity.scopes), dict(identity.tags)])


def test_two_callers_with_long_names_stay_two():
    """A caller reads the rows of its own name."""
    long = "n" * 255
    names = [
        caller_of(identify("issuer", IssuerRow("i", "a", "u"), {"sub": sub})).name for sub in (f"{long}1", f"{long}2")
    ]
    assert len({*names}) == 2
    assert all(len(name) == MAX_NAME for name in names)
    assert caller_of(identify("issuer", IssuerRow("i", "a", "u"), {"sub": "ada"})).name == "issuer:ada"
