"""The main key: the forms it comes in, several at once, and the open server that only this machine may call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import EnvironHeaders

from lib.access import LOCAL, MainKeys
from lib.base.errors import Unauthorized

KEY = "key-of-this-environment"
OTHER = "key-that-comes-next"


def headers(**named: str) -> EnvironHeaders:
    """Headers as the web floor passes them; `Host` is there, as in any request."""
    environ = {f"HTTP_{name.upper()}": value for name, value in named.items()}
    return EnvironHeaders({"HTTP_HOST": "proxy.example.org", **environ})


@pytest.fixture
def keys():
    return MainKeys([KEY, OTHER])


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
        MainKeys([KEY]).identify(headers(authorization=value, x_api_key=value), "203.0.113.7")


# ---- without a key ----


LOCAL_HOSTS = ["localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:5000", "[::1]", "[::1]:5000"]


@pytest.mark.parametrize("host", LOCAL_HOSTS)
@pytest.mark.parametrize("remote", ["127.0.0.1", "127.0.0.2", "::1"])
def test_an_open_server_lets_this_machine_in(host, remote):
    assert MainKeys([], open_without_key=True).identify(headers(host=host), remote) is LOCAL


@pytest.mark.parametrize(
    "remote", ["203.0.113.7", "10.0.0.2", "0.0.0.0", "2001:db8::1", "", None, "localhost", "unix:"]
)
def test_an_open_server_lets_no_other_machine_in(remote):
    with pytest.raises(Unauthorized):
        MainKeys([], open_without_key=True).identify(headers(host="localhost:5000"), remote)


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:5000", "localhost.attacker.example", "127.0.0.1.attacker.example",
     "localhost:5000.attacker.example", "", ":5000", "203.0.113.7", "[::2]:5000", "0.0.0.0:5000"],
)  # fmt: skip
def test_an_open_server_does_not_answer_to_the_name_of_another(host):
    """A web page can point a name of its own at 127.0.0.1 and let a browser on this machine call."""
    with pytest.raises(Unauthorized):
        MainKeys([], open_without_key=True).identify(headers(host=host), "127.0.0.1")


def test_an_open_server_says_how_to_enter():
    with pytest.raises(Unauthorized, match="AIPROXY_API_KEY"):
        MainKeys([], open_without_key=True).identify(headers(host="attacker.example"), "127.0.0.1")


def test_a_server_with_a_key_is_never_open():
    with pytest.raises(Unauthorized):
        MainKeys([KEY], open_without_key=True).identify(headers(host="localhost"), "127.0.0.1")


@pytest.mark.parametrize(
    "shown", [{}, {"authorization": ""}, {"x_api_key": " "}, {"authorization": "Bearer "}], ids=str
)
def test_a_server_without_a_key_that_is_not_open_lets_nobody_in(shown):
    with pytest.raises(Unauthorized):
        MainKeys([]).identify(headers(host="localhost", **shown), "127.0.0.1")


def test_a_key_beyond_ascii_is_known_as_wsgi_spells_it():
    key = "schlüssel-für-üns"
    shown = key.encode().decode("latin-1")  # PEP 3333: header bytes arrive as Latin-1
    assert MainKeys([key]).identify(headers(authorization=shown), "203.0.113.7").name == "main"
