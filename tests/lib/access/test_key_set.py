"""Which keys of a JWK Set are used, and which are passed over one by one."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from lib.access.jwks import KeysNotFetched
from lib.access.key_set import Key, pick, read_keys
from lib.access.tokens import _load
from tests.lib.access.signing import ec_key, jwk, number, rsa_key

GOOD = jwk(rsa_key("a"), "a")
BOTH = ("RS256", "ES256")


def read(*entries: Any, algorithms: tuple[str, ...] = BOTH) -> list[tuple[str | None, str]]:
    """Key id and algorithm of each usable key."""
    return [(key.kid, key.algorithm) for key in read_keys({"keys": list(entries)}, algorithms, _load)]


def test_both_kinds_of_keys():
    assert read(GOOD, jwk(ec_key("e"), "e")) == [("a", "RS256"), ("e", "ES256")]


@pytest.mark.parametrize("name", ["use", "alg", "kid"])
def test_what_may_be_absent(name):
    assert len(read({**{k: v for k, v in GOOD.items() if k != name}})) == 1


def test_only_the_algorithms_of_the_issuer():
    assert read(GOOD, jwk(ec_key("e"), "e"), algorithms=("ES256",)) == [("e", "ES256")]


JUNK = [
    None, 7, "key", [], {},
    {"kty": "RSA"},
    {"kty": ["RSA"], "kid": "x"},
    {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "HS256"},
    {"kty": "oct", "k": "c2VjcmV0", "kid": "x", "alg": "RS256"},
    {**GOOD, "kid": "x", "use": "enc"},
    {**GOOD, "kid": "x", "use": None},
    {**GOOD, "kid": "x", "alg": "PS256"},
    {**GOOD, "kid": "x", "alg": "HS256"},
    {**GOOD, "kid": "x", "alg": ["RS256"]},
    {**GOOD, "kid": "x", "key_ops": ["encrypt"]},
    {**GOOD, "kid": "x", "key_ops": "verify"},
    {**GOOD, "kid": "x", "key_ops": {"verify": 1}},
    {**GOOD, "kid": "x", "n": 7},
    {**GOOD, "kid": "x", "n": ""},
    {**GOOD, "kid": "x", "n": "!!!"},
    {**GOOD, "kid": "x", "n": "\u00e4"},
    {**GOOD, "kid": "x", "e": number(1)},
    {**GOOD, "kid": "x", "e": number(4)},
    {**GOOD, "kid": 7},
    {**GOOD, "kid": ""},
    {**GOOD, "kid": "x" * 300},
    {**GOOD, "kid": "x", "n": number((1 << 9000) + 1)},
    jwk(rsa_key("weak", 1024), "x"),
    jwk(ec_key("e"), "x", alg="RS256"),
    jwk(ec_key("e"), "x", crv="P-384", alg=None),
    jwk(ec_key("e"), "x", y=number(5)),
    jwk(ec_key("e"), "x", x=None),
    jwk(ec_key("large", ec.SECP384R1), "x"),
    jwk(ec_key("large", ec.SECP384R1), "x", crv="P-256", alg=None),
    {"kty": "OKP", "crv": "Ed25519", "x": "c2VjcmV0", "kid": "x"},
]  # fmt: skip


@pytest.mark.parametrize("entry", JUNK)
def test_an_entry_of_no_use_is_passed_over_and_the_others_are_kept(entry):
    assert read(entry, GOOD, entry) == [("a", "RS256")]


def test_of_two_with_one_key_id_the_first_is_used():
    (key,) = read_keys({"keys": [GOOD, jwk(rsa_key("b"), "a")]}, BOTH, _load)
    assert number(key.material.public_numbers().n) == GOOD["n"]


def test_one_key_id_for_two_kinds_is_no_doubt():
    keys = read_keys({"keys": [GOOD, jwk(ec_key("e"), "a")]}, BOTH, _load)
    assert (pick(keys, "a", "RS256"), pick(keys, "a", "ES256")) == keys


def test_a_published_private_key_is_a_public_one_here():
    (key,) = read_keys({"keys": [{**GOOD, "d": "AQ", "p": "x"}]}, BOTH, _load)
    assert not hasattr(key.material, "private_numbers")


def test_a_hundred_entries_and_no_more():
    assert read(*[None] * 99, GOOD) == [("a", "RS256")]
    assert read(*[None] * 100, GOOD) == []


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": "a"}, {"Keys": []}])
def test_a_document_that_is_no_key_set(document):
    with pytest.raises(KeysNotFetched, match="no JWK Set"):
        read_keys(document, BOTH, _load)


def test_without_a_key_id_the_only_fitting_key_is_meant():
    one, two, other = Key("a", "RS256", None), Key(None, "RS256", None), Key("e", "ES256", None)
    assert pick([one, other], None, "RS256") is one
    assert pick([one, two], None, "RS256") is None
    assert pick([other], None, "RS256") is None


def test_a_key_without_an_id_is_not_meant_by_any_id():
    assert pick([Key(None, "RS256", None)], "a", "RS256") is None


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists)
MEMBER = st.sampled_from([*GOOD, "crv", "x", "y", "key_ops"])


@given(st.dictionaries(MEMBER, JSON | st.sampled_from(["RSA", "EC", "P-256", "sig", "RS256", "AQAB", GOOD["n"]])))
def test_no_entry_upsets_it(entry):
    assert len(read(entry)) <= 1
