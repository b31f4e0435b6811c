"""Who is calling: the keys of the environment in their forms, and the open server that only this machine may call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import EnvironHeaders

from lib.access import AGENTS, LOCAL, MAIN, AddressList, Callers, Doors, EnvironmentKeys, Failures, TokenIdentity
from lib.access.caller import Caller
from lib.base import Budget
from lib.base.errors import AddressNotAllowed, IssuerUnavailable, RateLimited, Unauthorized

KEY = "key-of-this-environment"
OTHER = "key-that-comes-next"
AGENTS_KEY = "key-of-the-agents"
CALLER = "203.0.113.7"


class NoKeys:
    """A null object in the place of the managed keys."""

    def find(self, key, address):
        return None


def callers(*keys, **doors):
    """Callers with these main keys, and failures that are never slowed."""
    environment = doors.pop("environment", EnvironmentKeys(keys))
    return Callers(Doors(environment, NoKeys(), **doors), Failures(10_000))


def headers(**named: str) -> EnvironHeaders:
    """Headers as the web floor passes them; `Host` is there, as in any request."""
    environ = {f"HTTP_{name.upper()}": value for name, value in named.items()}
    return EnvironHeaders({"HTTP_HOST": "proxy.example.org", **environ})


@pytest.fixture
def keys():
    return callers(KEY, OTHER)


# ---- forms ----


@pytest.mark.parametrize(
    "shown",
    [
        {"authorization": KEY},
        {"authorization": f" {KEY} "},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
        {"authorization": f"BEARER   {KEY}"},
        {"x_api_key": KEY},
        {"x_api_key": f" {KEY} "},
        {"authorization": OTHER},
        {"authorization": f"Bearer {OTHER}"},
        {"x_api_key": OTHER},
        {"authorization": "Bearer wrong", "x_api_key": KEY},
        {"authorization": KEY, "x_api_key": "wrong"},
    ],
    ids=str,
)
def test_a_key_is_known_in_every_form(keys, shown):
    assert keys.identify(headers(**shown), "203.0.113.7").name == "main"


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer Bearer {KEY}"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": KEY[:-1]},
        {"authorization": KEY.upper()},
        {"authorization": f"{KEY},{OTHER}"},
        {"authorization": f"{KEY} {OTHER}"},
        {"x_api_key": ""},
        {"x_api_key": f"Bearer {KEY}"},
        {"api_key": KEY},
        {"cookie": f"x-api-key={KEY}"},
    ],
    ids=str,
)
def test_anything_else_is_refused(keys, shown):
    with pytest.raises(Unauthorized):
        keys.identify(headers(**shown), "127.0.0.1")


def test_a_refusal_says_nothing_of_what_was_shown(keys):
    with pytest.raises(Unauthorized) as caught:
        keys.identify(headers(authorization="Bearer wrong-key"), "127.0.0.1")
    assert "wrong-key" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_caller_carries_no_part_of_its_key(keys):
    caller = keys.identify(headers(x_api_key=KEY), None)
    assert KEY not in repr(caller)


def test_a_representation_shows_no_key(keys):
    assert KEY not in repr(keys) + str(keys)


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_header_value_upsets_it(value):
    """A server hands on header bytes as Latin-1, whatever they are."""
    with pytest.raises(Unauthorized):
        callers(KEY).identify(headers(authorization=value, x_api_key=value), "203.0.113.7")


# ---- without a key ----


LOCAL_HOSTS = ["localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:5000", "[::1]", "[::1]:5000"]


@pytest.mark.parametrize("host", LOCAL_HOSTS)
@pytest.mark.parametrize("remote", ["127.0.0.1", "127.0.0.2", "::1"])
def test_an_open_server_lets_this_machine_in(host, remote):
    assert callers(open_here=True).identify(headers(host=host), remote) is LOCAL


@pytest.mark.parametrize(
    "remote", ["203.0.113.7", "10.0.0.2", "0.0.0.0", "2001:db8::1", "", None, "localhost", "unix:"]
)
def test_an_open_server_lets_no_other_machine_in(remote):
    with pytest.raises(Unauthorized):
        callers(open_here=True).identify(headers(host="localhost:5000"), remote)


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:5000", "localhost.attacker.example", "127.0.0.1.attacker.example",
     "localhost:5000.attacker.example", "", ":5000", "203.0.113.7", "[::2]:5000", "0.0.0.0:5000"],
)  # fmt: skip
def test_an_open_server_does_not_answer_to_the_name_of_another(host):
    """A web page can point a name of its own at 127.0.0.1 and let a browser on this machine call."""
    with pytest.raises(Unauthorized):
        callers(open_here=True).identify(headers(host=host), "127.0.0.1")


def test_an_open_server_says_how_to_enter():
    with pytest.raises(Unauthorized, match="AIPROXY_API_KEY"):
        callers(open_here=True).identify(headers(host="attacker.example"), "127.0.0.1")


@pytest.mark.parametrize(
    "shown", [{}, {"authorization": ""}, {"x_api_key": " "}, {"authorization": "Bearer "}], ids=str
)
def test_a_server_without_a_key_that_is_not_open_lets_nobody_in(shown):
    with pytest.raises(Unauthorized):
        callers().identify(headers(host="localhost", **shown), "127.0.0.1")


def test_a_key_beyond_ascii_is_known_as_wsgi_spells_it():
    key = "schlüssel-für-üns"
    shown = key.encode().decode("latin-1")  # PEP 3333: header bytes arrive as Latin-1
    assert callers(key).identify(headers(authorization=shown), "203.0.113.7").name == "main"


# ---- the key of the agents ----


def with_agents(**doors):
    return callers(environment=EnvironmentKeys([KEY], [AGENTS_KEY]), **doors)


def test_the_agents_key_is_not_the_main_key():
    assert with_agents().identify(headers(authorization=f"Bearer {AGENTS_KEY}"), CALLER) is AGENTS
    assert with_agents().identify(headers(authorization=f"Bearer {KEY}"), CALLER) is MAIN
    assert AGENTS.run_required
    assert AGENTS.scopes == {"agents", "openai", "anthropic"}


def test_the_main_key_beside_the_agents_key_opens_more():
    assert with_agents().identify(headers(authorization=AGENTS_KEY, x_api_key=KEY), CALLER) is MAIN


@pytest.mark.parametrize("peer", ["203.0.113.7", "::ffff:203.0.113.7", "2001:db8::1"])
def test_the_agents_key_is_good_from_its_addresses(peer):
    listed = AddressList.parse(["203.0.113.0/24", "", "2001:db8::/32"])
    assert with_agents(agents_from=listed).identify(headers(authorization=AGENTS_KEY), peer) is AGENTS


@pytest.mark.parametrize("peer", ["198.51.100.1", "", None, "unix:", "::1"])
@pytest.mark.parametrize("shown", [AGENTS_KEY, "wrong", f"{AGENTS_KEY}x"])
def test_elsewhere_the_right_key_gets_what_a_wrong_one_gets(peer, shown):
    keys = with_agents(agents_from=AddressList.parse(["203.0.113.0/24"]))
    with pytest.raises(AddressNotAllowed):
        keys.identify(headers(authorization=shown), peer)


def test_elsewhere_the_main_key_is_good_and_no_key_is_none():
    keys = with_agents(agents_from=AddressList.parse(["203.0.113.0/24"]))
    assert keys.identify(headers(authorization=KEY), "198.51.100.1") is MAIN
    with pytest.raises(Unauthorized):
        keys.identify(headers(), "198.51.100.1")


def test_the_address_behind_a_trusted_proxy_counts():
    listed, proxy = AddressList.parse(["203.0.113.0/24"]), AddressList.parse(["10.0.0.0/8"])
    forwarded = headers(authorization=AGENTS_KEY, x_forwarded_for="203.0.113.7")
    assert with_agents(agents_from=listed, trusted=proxy).identify(forwarded, "10.0.0.2") is AGENTS
    with pytest.raises(AddressNotAllowed):
        with_agents(agents_from=listed).identify(forwarded, "10.0.0.2")


# ---- tokens ----


class Issuer:
    """Knows one token, and stands for one issuer that cannot be asked."""

    def verify(self, token):
        if token == "unreachable.issuer.x":
            raise IssuerUnavailable
        if token != "a.good.token":
            raise Unauthorized(detail="token: signature")
        return TokenIdentity(
            issuer="auth0",
            name="alice",
            scopes=frozenset({"chat", "openai", "complete_code"}),
            budget_key="team",
            budgets=(Budget(5, "day"),),
            rpm=3,
            tpm=None,
            models=("gpt-*",),
            tags={"a": "b"},
            claims={"secret": "claim"},
        )


ISSUER = Issuer()


def test_what_a_token_allows():
    assert callers(KEY, tokens=ISSUER).identify(headers(authorization="a.good.token"), CALLER) == Caller(
        "auth0:alice",
        frozenset({"chat", "openai"}),
        ("gpt-*",),
        (Budget(5, "day"),),
        "token:auth0/team",
        3,
        None,
        {"a": "b"},
    )


def test_what_has_two_dots_is_a_token():
    keys = callers(KEY, tokens=ISSUER)
    assert keys.identify(headers(authorization="Bearer a.good.token"), CALLER).name == "auth0:alice"
    for shown in ("a.bad.token", "a.good.token.", "good.token", "..", "..."):
        with pytest.raises(Unauthorized) as caught:
            keys.identify(headers(authorization=shown), CALLER)
        assert caught.value.message == Unauthorized.message


def test_a_key_of_the_environment_may_have_two_dots():
    assert callers("my.own.key", tokens=ISSUER).identify(headers(x_api_key="my.own.key"), CALLER) is MAIN


def test_an_issuer_that_cannot_be_asked_is_not_a_wrong_token():
    keys = callers(KEY, tokens=ISSUER)
    with pytest.raises(IssuerUnavailable):
        keys.identify(headers(authorization="unreachable.issuer.x"), CALLER)
    assert keys.identify(headers(authorization="unreachable.issuer.x", x_api_key=KEY), CALLER) is MAIN
    assert (
        keys.identify(headers(authorization="unreachable.issuer.x", x_api_key="a.good.token"), CALLER).name
        == "auth0:alice"
    )


def test_an_open_server_knows_tokens():
    keys = callers(open_here=True, tokens=ISSUER)
    assert keys.identify(headers(host="localhost", authorization="a.good.token"), "127.0.0.1").name == "auth0:alice"
    assert keys.identify(headers(host="localhost", authorization="anything"), "127.0.0.1") is LOCAL
    with pytest.raises(Unauthorized):
        keys.identify(headers(host="localhost", authorization="a.bad.token"), "127.0.0.1")


# ---- failures ----


def test_who_guesses_is_slowed_and_nobody_else():
    keys = Callers(Doors(EnvironmentKeys([KEY]), NoKeys()), Failures(3))
    for _ in range(3):
        with pytest.raises(Unauthorized):
            keys.identify(headers(authorization="wrong"), CALLER)
    with pytest.raises(RateLimited) as caught:
        keys.identify(headers(authorization="wrong"), CALLER)
    assert caught.value.retry_after > 0
    assert keys.identify(headers(authorization=KEY), CALLER) is MAIN
    with pytest.raises(Unauthorized):
        keys.identify(headers(authorization="wrong"), "203.0.113.8")
    with pytest.raises(Unauthorized):
        keys.identify(headers(), CALLER)


def test_a_page_of_elsewhere_may_not_use_an_open_server():
    with pytest.raises(Unauthorized):
        callers(open_here=True).identify(headers(host="localhost"), "127.0.0.1", elsewhere=True)
