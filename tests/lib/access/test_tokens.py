"""Tokens: what is accepted, and every attack we know."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.access import AccessFile, IssuerRow, Tokens, looks_like_token
from lib.base.errors import Unauthorized
from tests.lib.access import issuer as idp
from tests.lib.access.issuer import Issuer
from tests.lib.access.signing import b64, ec_key, jwk, pem, sign, signature
from tests.lib.access.token_world import EC, EC_HEADER, HEADER, KEY, NOW, OTHER, World

# ---- what is accepted ----


def test_a_good_token(world):
    identity = world.verify(world.token(scope="chat"))
    assert (identity.issuer, identity.name, identity.scopes) == ("acme", "ada", frozenset())
    assert identity.claims["scope"] == "chat"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["api"]},
        {"aud": ["other", "api"]},
        {"aud": ["other", 7, None, "api"]},
        {"exp": NOW - 29},
        {"exp": NOW + 0.5},
        {"nbf": NOW + 29},
        {"iat": NOW + 29},
        {"iat": None},
        {"exp": 2**40},
    ],
    ids=str,
)
def test_good_claims(world, changed):
    assert world.verify(world.token(**changed)).name == "ada"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256", "kid": "a"},
        {**HEADER, "typ": "at+jwt"},
        {**HEADER, "typ": "application/at+JWT"},
        {**HEADER, "jku": "https://evil.example/keys", "x5u": "https://evil.example/cert"},
        {**HEADER, "jwk": jwk(OTHER, "a"), "x5c": ["AAAA"], "x5t": "AAAA"},
        {**HEADER, "anything": {"else": 1}},
    ],
)
def test_good_headers(world, header):
    assert world.verify(sign(KEY, header, world.claims())).name == "ada"
    assert world.issuer.asked == [idp.JWKS]


def test_es256(world):
    assert world.verify(sign(EC, EC_HEADER, world.claims())).name == "ada"


def test_without_a_key_id_the_only_fitting_key_is_meant(world):
    header = {"alg": "RS256"}
    assert world.verify(sign(KEY, header, world.claims())).name == "ada"
    world.issuer.keys.append(jwk(OTHER, "b"))
    world.tokens = world.build()
    assert world.refused(sign(KEY, header, world.claims())) == "key"


def test_any_of_several_audiences(world):
    world.tokens = world.build(audience=("api", "web"))
    assert world.verify(world.token(aud="web")).name == "ada"


def test_keys_found_by_discovery(world):
    url = world.issuer.url
    world.tokens = world.build(issuer=url, jwks_url=None, discovery=True)
    assert world.verify(world.token(iss=url)).name == "ada"
    assert world.issuer.asked == [idp.DISCOVERY, idp.JWKS]


def test_each_issuer_has_its_own_keys_and_its_own_rules(world):
    with Issuer() as other:
        other.keys = [jwk(OTHER, "a")]
        rows = {
            "acme": IssuerRow(issuer="https://acme.example/", audience="api", jwks_url=world.issuer.jwks_url),
            "other": IssuerRow(issuer="https://acme.example", audience="web", jwks_url=other.jwks_url),
        }
        world.tokens = Tokens(AccessFile(rows), lambda: NOW)
        theirs = world.claims(iss="https://acme.example", aud="web")
        assert world.verify(sign(OTHER, HEADER, theirs)).issuer == "other"
        assert world.verify(world.token()).issuer == "acme"
        assert world.refused(sign(KEY, HEADER, theirs)) == "signature"
        assert world.refused(sign(OTHER, HEADER, world.claims())) == "signature"
        assert world.refused(sign(OTHER, HEADER, {**theirs, "aud": "api"})) == "audience"


# ---- signatures and keys ----


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
def test_no_signature(world, algorithm):
    header = {**HEADER, "alg": algorithm}
    assert world.refused(sign(None, header, world.claims())) == "shape"
    assert world.refused(sign(b"key", header, world.claims())) == "algorithm"
    assert world.refused(sign(KEY, header, world.claims())) == "algorithm"


@pytest.mark.parametrize("secret", [pem(KEY), pem(KEY).strip(), json.dumps(jwk(KEY, "a")).encode(), b""], ids=len)
def test_a_public_key_is_no_shared_secret(world, secret):
    assert world.refused(sign(secret, {**HEADER, "alg": "HS256"}, world.claims())) == "algorithm"
    assert world.refused(sign(secret, HEADER, world.claims())) == "signature"


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "ES384", "EdDSA", "rs256", "RS256 ", "HS512"])
def test_other_algorithms(world, algorithm):
    assert world.refused(sign(KEY, {**HEADER, "alg": algorithm}, world.claims())) == "algorithm"


def test_an_algorithm_that_the_issuer_does_not_use(world):
    world.tokens = world.build(algorithms=("RS256",))
    assert world.refused(sign(EC, EC_HEADER, world.claims())) == "algorithm"
    assert world.issuer.asked == []


@pytest.mark.parametrize("value", [None, 7, True, [], ["RS256"], {"RS256": 1}], ids=repr)
def test_an_algorithm_that_is_no_text(world, value):
    assert world.refused(sign(KEY, {**HEADER, "alg": value}, world.claims())) == "algorithm"


def test_an_algorithm_of_another_kind_of_key(world):
    assert world.refused(sign(EC, {**HEADER, "kid": "e"}, world.claims())) == "key"
    assert world.refused(sign(KEY, {**EC_HEADER, "kid": "a"}, world.claims())) == "key"
    assert world.refused(sign(EC, HEADER, world.claims())) == "signature"
    assert world.refused(sign(KEY, EC_HEADER, world.claims())) == "signature"


def test_the_wrong_key(world):
    assert world.refused(sign(OTHER, HEADER, world.claims())) == "signature"
    assert world.refused(sign(ec_key("x"), EC_HEADER, world.claims())) == "signature"
    assert world.refused(sign(OTHER, {**HEADER, "jwk": jwk(OTHER, "a")}, world.claims())) == "signature"


@pytest.mark.parametrize("made", [b"\0", b"\0" * 64, b"\0" * 256, b"\xff" * 64, b"\xff" * 5000], ids=len)
@pytest.mark.parametrize("header", [HEADER, EC_HEADER], ids=["RS256", "ES256"])
def test_a_made_up_signature(world, header, made):
    assert world.refused(f"{b64(header)}.{b64(world.claims())}.{b64(made)}") == "signature"


def test_a_signature_of_something_else(world):
    good, other = world.token().split("."), world.token(sub="eve").split(".")
    assert world.refused(".".join([good[0], other[1], good[2]])) == "signature"
    header = b64({**HEADER, "x": 1})
    assert world.refused(".".join([header, good[1], good[2]])) == "signature"


@pytest.mark.parametrize(
    "kid",
    ["x", "A", "a ", "a\x00", "../../../../dev/null", "' OR 1=1 --", "http://evil.example/keys", "$(id)", "\u0430"],
)
def test_a_key_id_is_only_compared(world, kid):
    assert world.refused(sign(KEY, {**HEADER, "kid": kid}, world.claims())) == "key"
    assert set(world.issuer.asked) == {idp.JWKS}


@pytest.mark.parametrize("kid", ["", 7, 0, True, ["a"], {"a": 1}, "x" * 300], ids=lambda kid: repr(kid)[:20])
def test_a_key_id_that_is_none(world, kid):
    assert world.refused(sign(KEY, {**HEADER, "kid": kid}, world.claims())) == "key id"
    assert world.issuer.asked == []


@pytest.mark.parametrize(
    "more",
    [{"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"b64": False}, {"typ": "dpop+jwt"}, {"typ": "logout+jwt"},
     {"typ": 7}, {"typ": None}, {"typ": ""}],
    ids=str,
)  # fmt: skip
def test_a_header_that_asks_for_more(world, more):
    assert world.refused(sign(KEY, {**HEADER, **more}, world.claims())) == "header"


# ---- claims ----


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"aud": None}, "audience"),
        ({"aud": "apis"}, "audience"),
        ({"aud": "ap"}, "audience"),
        ({"aud": "API"}, "audience"),
        ({"aud": "other api"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": ["other"]}, "audience"),
        ({"aud": [["api"]]}, "audience"),
        ({"aud": {"api": 1}}, "audience"),
        ({"aud": 7}, "audience"),
        ({"aud": ""}, "audience"),
        ({"exp": None}, "no expiry"),
        ({"exp": NOW - 30}, "expired"),
        ({"exp": NOW - 31}, "expired"),
        ({"exp": 0}, "expired"),
        ({"exp": str(int(NOW + 3600))}, "time"),
        ({"exp": True}, "time"),
        ({"exp": [NOW + 3600]}, "time"),
        ({"exp": -1}, "time"),
        ({"exp": 2**41}, "time"),
        ({"exp": 10**300}, "time"),
        ({"exp": 10**4000}, "time"),
        ({"nbf": NOW + 31}, "not yet valid"),
        ({"nbf": "soon"}, "time"),
        ({"nbf": 10**30}, "time"),
        ({"iat": NOW + 31}, "not yet valid"),
        ({"iat": "now"}, "time"),
        ({"iss": None}, "issuer"),
        ({"iss": "https://acme.example"}, "issuer"),
        ({"iss": "https://acme.example//"}, "issuer"),
        ({"iss": "https://acme.example/x"}, "issuer"),
        ({"iss": "https://acme.exampl"}, "issuer"),
        ({"iss": "HTTPS://acme.example/"}, "issuer"),
        ({"iss": " https://acme.example/"}, "issuer"),
        ({"iss": "https://acme.example/\x00"}, "issuer"),
        ({"iss": "acme"}, "issuer"),
        ({"iss": ""}, "issuer"),
        ({"iss": ["https://acme.example/"]}, "issuer"),
        ({"iss": {"https://acme.example/": 1}}, "issuer"),
        ({"iss": 7}, "issuer"),
        ({"sub": None}, "name"),
        ({"sub": ["ada"]}, "name"),
        ({"sub": {"$ne": 1}}, "name"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_claims(world, changed, code):
    assert world.refused(world.token(**changed)) == code


def test_an_expiry_of_null_is_not_the_lack_of_one(world):
    assert world.refused(sign(KEY, HEADER, {**world.claims(), "exp": None})) == "time"


def test_nothing_is_fetched_for_what_is_wrong_without_a_key(world):
    for changed in ({"exp": NOW - 31}, {"aud": "x"}, {"iss": "https://evil.example/"}):
        world.refused(world.token(**changed))
    assert world.issuer.asked == []


def test_a_required_claim(world):
    world.tokens = world.build(required={"email_verified": True})
    assert world.refused(world.token()) == "required email_verified"
    assert world.verify(world.token(email_verified=True)).name == "ada"


def test_scopes_are_not_parts_of_words(world):
    world.tokens = world.build(scopes_claim="scopes")
    assert world.verify(world.token(scopes="complete_code")).scopes == {"complete_code"}
    assert world.verify(world.token(scopes=["chat", "x"])).scopes == {"chat", "x"}


# ---- shapes ----


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", " a.b.c", "a.b.c\n", "a.b.c=", "a+.b.c",
     "a.b.\u00e4", "a.b.\ud800", "a.b.\x00", "x" * 9000, "a.b." + "c" * 8192],
    ids=lambda token: ascii(token)[:20],
)  # fmt: skip
def test_what_has_no_tokens_shape(world, token):
    assert not looks_like_token(token)
    assert world.refused(token) == "shape"


def test_a_huge_token(world):
    token = world.token(filler="x" * 8192)
    assert world.refused(token) == "shape"
    assert world.verify(world.token(filler="x" * 4096)).name == "ada"


RAW = '{"iss":"https://acme.example/","aud":"api","sub":"ada","exp":1790003600'


@pytest.mark.parametrize(
    "claims",
    [
        RAW + ',"sub":"eve"}',
        RAW + ',"x":{"y":1,"y":2}}',
        RAW + ',"x":NaN}',
        RAW + ',"x":Infinity}',
        RAW + ',"x":1e999}',
        RAW + ',"x":"\\ud800"}',
        RAW + ',"\\udfff":1}',
        RAW + ',"x":' + "[" * 5000 + "]}",
        RAW + ',"x":' + "9" * 5000 + "}",
        RAW,
        RAW + "} ,",
        "[" + RAW + "}]",
        '"x"',
        "null",
        "",
        b"\xff\xfe",
        ("\ufeff" + RAW + "}"),
        (RAW + "}").encode("utf-16"),
        (RAW + ',"x":"ä"}').encode("latin-1"),
    ],
    ids=lambda claims: ascii(claims)[-30:],
)
def test_claims_that_are_no_proper_json(world, claims):
    assert world.refused(sign(KEY, HEADER, claims)) in ("json", "shape")
    assert world.issuer.asked == []


@pytest.mark.parametrize(
    "header",
    ['{"alg":"none","alg":"RS256","kid":"a"}', '{"alg":"RS256","kid":"a","kid":"a"}', "[]", "7", "{", '"RS256"'],
)
def test_headers_that_are_no_proper_json(world, header):
    assert world.refused(sign(KEY, header, world.claims())) == "json"


def test_parts_that_are_no_base64(world):
    header, claims, signed = world.token().split(".")
    assert world.refused(f"A.{claims}.{signed}") == "base64"
    assert world.refused(f"{header}.{claims}.A") == "base64"


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}"))
def test_no_text_upsets_it(text):
    with pytest.raises(Unauthorized):
        Tokens(AccessFile({})).verify(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
CLAIM = st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub"])
NAME = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jku"])


@given(st.dictionaries(NAME, JSON, max_size=3), st.dictionaries(CLAIM, JSON, max_size=3))
def test_no_signed_junk_upsets_it(running, header, claims):
    running.behaviour = idp.good
    world = World(running)
    with suppress(Unauthorized):
        world.verify(sign(KEY, {**HEADER, **header}, {**world.claims(), **claims}))


def test_what_the_tests_sign_is_what_the_library_signs():
    """The tests' own signatures are no proof of themselves."""
    import jwt

    claims = {"sub": "ada"}
    assert jwt.decode(sign(KEY, HEADER, claims), KEY.public_key(), ["RS256"]) == claims
    assert jwt.decode(sign(EC, EC_HEADER, claims), EC.public_key(), ["ES256"]) == claims
    signed = jwt.encode(claims, KEY, "RS256").rpartition(".")
    assert base64.urlsafe_b64decode(signed[2] + "==") == signature(KEY, signed[0].encode())
