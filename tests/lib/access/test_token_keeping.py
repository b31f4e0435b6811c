"""What the issuer's state means for a token, and what is remembered of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gevent
import pytest

from lib.access import AccessFile, Tokens
from lib.access.tokens import MAX_CACHED
from lib.base.errors import IssuerUnavailable
from tests.lib.access import issuer as idp
from tests.lib.access.issuer import Issuer
from tests.lib.access.signing import b64, jwk, sign
from tests.lib.access.token_world import EC, EC_HEADER, HEADER, NOW, OTHER

ROOT = Path(__file__).parents[3]


# ---- the issuer's state ----


@pytest.mark.parametrize(
    "behaviour",
    [idp.says(b"", 500), idp.says(b"junk"), idp.says(b'{"keys": "junk"}'), idp.says(b'{"keys": []}'), idp.cuts,
     idp.says(b'{"keys": [null, 7, {"kty": "oct", "k": "AAAA"}]}'), idp.says(b"", 302, Location="/"), idp.floods],
)  # fmt: skip
def test_an_issuer_without_keys_is_not_the_callers_fault(world, behaviour):
    world.issuer.behaviour = behaviour
    for token in (world.token(), sign(OTHER, HEADER, world.claims())):
        with pytest.raises(IssuerUnavailable):
            world.verify(token)
    assert len(world.issuer.asked) == 1
    world.issuer.behaviour = idp.good
    world.clock += 10
    assert world.verify(world.token()).name == "ada"


def test_an_issuer_that_has_gone(world):
    with Issuer() as other:
        world.tokens = world.build(jwks_url=other.jwks_url)
    with pytest.raises(IssuerUnavailable):
        world.verify(world.token())


def test_an_issuer_that_fails_later_is_not_missed(world):
    world.verify(world.token())
    world.issuer.behaviour = idp.says(b"", 500)
    world.clock += 3600
    assert world.verify(world.token(sub="bob")).name == "bob"
    while len(world.issuer.asked) < 2:
        gevent.sleep(0.01)
    gevent.sleep(0.05)
    assert world.verify(world.token(sub="eve")).name == "eve"


def test_keys_that_rotate(world):
    world.verify(world.token())
    world.issuer.keys = [jwk(OTHER, "b")]
    assert world.verify(sign(OTHER, {**HEADER, "kid": "b"}, world.claims())).name == "ada"
    assert world.refused(world.token(sub="eve")) == "key"  # the old one is withdrawn
    assert len(world.issuer.asked) == 2


def test_a_thousand_unknown_keys_ask_once(world):
    world.verify(world.token())
    for number in range(1000):
        world.refused(sign(b"x", {**HEADER, "kid": f"x{number}"}, world.claims()))
    assert len(world.issuer.asked) == 2


def test_many_first_calls_ask_once_and_others_go_on(world):
    world.issuer.behaviour = idp.waits
    calls = [gevent.spawn(world.verify, world.token(sub=f"caller{number}")) for number in range(20)]
    for _tick in range(5):
        gevent.sleep(0.01)
    assert not any(call.ready() for call in calls)
    world.issuer.released.set()
    gevent.joinall(calls, timeout=30)
    world.issuer.released.clear()
    assert {call.value.name for call in calls} == {f"caller{number}" for number in range(20)}
    assert len(world.issuer.asked) == 1


# ---- what is remembered ----


def test_a_verified_token_is_known_for_a_minute(world):
    token = world.token()
    first = world.verify(token)
    world.now += 59
    assert world.verify(token) is first
    world.now += 1
    assert world.verify(token) is not first


def test_a_verified_token_is_not_known_beyond_its_expiry(world):
    token = world.token(exp=NOW + 10)
    first = world.verify(token)
    world.now += 9
    assert world.verify(token) is first
    world.now += 2
    assert world.verify(token) is not first  # in the leeway it is verified again
    world.now += 30
    assert world.refused(token) == "expired"


def test_a_clock_that_goes_back_makes_nothing_last_longer(world):
    token = world.token(iat=None)
    first = world.verify(token)
    world.now -= 1000
    assert world.verify(token) is not first


def test_every_character_counts(world):
    """A cache that compared beginnings would take one caller for another."""
    token = world.token()
    world.verify(token)
    head, claims, signed = token.split(".")
    swapped = f"{head}.{claims}.{signed[:-8]}AAAAAAAA"
    assert world.refused(swapped) == "signature"
    assert world.refused(f"{head}.{b64(world.claims(sub='eve'))}.{signed}") == "signature"


def test_a_refusal_is_not_remembered(world):
    bad = sign(OTHER, {**HEADER, "kid": "b"}, world.claims())
    assert world.refused(bad) == "key"
    world.issuer.keys.append(jwk(OTHER, "b"))
    assert world.verify(bad).name == "ada"


def test_no_more_than_so_many_are_remembered(world):
    first = world.token()
    identity = world.verify(first)
    for number in range(MAX_CACHED):
        world.verify(sign(EC, EC_HEADER, world.claims(sub=str(number))))
    assert len(world.tokens._verified) == MAX_CACHED
    assert world.verify(first) is not identity


# ---- without issuers ----


def test_without_issuers_every_token_is_refused(world):
    world.tokens = Tokens(AccessFile())
    assert not world.tokens
    assert world.refused(world.token()) == "issuer"


def test_without_issuers_the_libraries_are_not_loaded():
    code = (
        "import sys; from lib.access import *\n"
        "try: Tokens(AccessFile()).verify('e30.e30.AA')\n"
        "except Exception: pass\n"
        "sys.exit(any(name.partition('.')[0] in ('jwt', 'requests', 'cryptography') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
