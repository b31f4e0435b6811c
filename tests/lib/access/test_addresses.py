"""Lists of addresses, and the address behind trusted proxies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.access import AddressList, client_address
from lib.base import SettingsError, load

NOBODY = AddressList.parse([])
PROXIES = AddressList.parse(["10.0.0.0/8", "fd00::/8"])


# ---- lists ----


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.0/24"], "203.0.113.255"),
        (["203.0.113.99/24"], "203.0.113.1"),
        (["10.0.0.0/255.0.0.0"], "10.9.8.7"),
        (["0.0.0.0/0"], "198.51.100.1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["2001:DB8::1"], "2001:0db8:0:0:0:0:0:1"),
        (["2001:db8::/32"], "2001:db8:ffff::1"),
        (["2001:db8::5/64"], "2001:db8::9"),
        (["::/0"], "2001:db8::1"),
        (["fe80::/10"], "fe80::1%eth0"),
        (["203.0.113.7"], "::ffff:203.0.113.7"),
        (["203.0.113.0/24"], "::ffff:cb00:7107"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["::ffff:203.0.113.0/120"], "203.0.113.9"),
        (["::ffff:203.0.113.0/120"], "::ffff:203.0.113.9"),
        ([" ", "", " 203.0.113.7 "], "203.0.113.7"),
        (["198.51.100.1", "2001:db8::/32", "203.0.113.7"], "203.0.113.7"),
    ],
)
def test_admits(words, address):
    assert AddressList.parse(words).admits(address)
    assert address in AddressList.parse(words)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["203.0.113.7"], "203.0.113.8"),
        (["203.0.113.0/24"], "203.0.114.0"),
        (["203.0.113.0/24"], "::ffff:203.0.114.0"),
        (["203.0.113.7"], "::203.0.113.7"),
        (["2001:db8::/32"], "2001:db9::"),
        (["::/0"], "203.0.113.7"),
        (["0.0.0.0/0"], "2001:db8::1"),
        (["::/0"], "::ffff:203.0.113.7"),
        (["0.0.0.0/0", "::/0"], None),
        (["0.0.0.0/0", "::/0"], ""),
        (["0.0.0.0/0", "::/0"], "localhost"),
        (["0.0.0.0/0", "::/0"], "203.0.113.7:80"),
        (["0.0.0.0/0", "::/0"], "1.2.3.4%eth0"),
        (["0.0.0.0/0", "::/0"], "010.0.0.1"),
        (["0.0.0.0/0", "::/0"], "3232235777"),
        (["0.0.0.0/0", "::/0"], "\u0661.2.3.4"),
    ],
)
def test_refuses(words, address):
    assert not AddressList.parse(words).admits(address)
    assert address not in AddressList.parse(words)


@pytest.mark.parametrize("words", [[], [""], [" ", "\t"]])
@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8::1", None, "", "junk"])
def test_an_empty_list_is_no_restriction_and_holds_nobody(words, address):
    empty = AddressList.parse(words)
    assert empty.admits(address)
    assert address not in empty
    assert not empty


@pytest.mark.parametrize(
    "bad",
    ["office", "10.0.0.0/33", "10.0.0", "10.0.0.256", "2001:db8::/129", "10.0.0.1:80", "10.0.0.1-9", "*", "10.*",
     "fe80::1%eth0/64", "10.0.0.0/8/8", "/8", "[::1]", "\u0661.2.3.4", "10.0.0.1; drop table", "0x0a.0.0.1"],
)  # fmt: skip
def test_a_bad_word_is_named_by_its_position_alone(bad):
    with pytest.raises(ValueError, match=r"^entry 2 is neither an address nor a CIDR block$"):
        AddressList.parse(["203.0.113.7", bad])


@given(st.text(max_size=60))
def test_no_text_upsets_a_list(text):
    assert AddressList.parse(["10.0.0.0/8"]).admits(text) in (True, False)


@given(st.ip_addresses(), st.integers(0, 128))
def test_a_block_holds_the_address_it_was_made_from(address, prefix):
    block = AddressList.parse([f"{address}/{min(prefix, address.max_prefixlen)}"])
    assert block.admits(str(address)) or getattr(address, "ipv4_mapped", None)


# ---- behind proxies ----


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("::ffff:203.0.113.7", None, "203.0.113.7"),
        ("fe80::1%eth0", None, "fe80::1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1,198.51.100.1,10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, ::ffff:10.0.0.2 , ,fd00::9", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "198.51.100.1:567", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:80", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "fe80::7%en0", "fe80::7"),
        ("10.0.0.1", "1.1.1.1, junk", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "junk, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:http", "10.0.0.1"),
        ("10.0.0.1", "[198.51.100.1", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1]80", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:\u0668\u0660", "10.0.0.1"),
        ("10.0.0.1", '"198.51.100.1"', "10.0.0.1"),
        ("", "198.51.100.1", None),
        (None, "198.51.100.1", None),
        ("unix:", "198.51.100.1", None),
    ],
)
def test_the_right_most_untrusted_address_is_the_caller(peer, header, client):
    assert client_address(peer, header, PROXIES) == client


def test_nobody_is_trusted_by_an_empty_list():
    assert client_address("10.0.0.1", "198.51.100.1", NOBODY) == "10.0.0.1"


@given(st.text(max_size=80))
def test_no_header_upsets_it_or_takes_it_off_an_untrusted_peer(header):
    assert client_address("203.0.113.7", header, PROXIES) == "203.0.113.7"
    assert client_address("10.0.0.1", header, PROXIES)


@given(st.text(max_size=40))
def test_nothing_to_the_left_of_the_first_untrusted_address_counts(forged):
    assert client_address("10.0.0.1", f"{forged}, 198.51.100.1, 10.0.0.2", PROXIES) == "198.51.100.1"


# ---- settings ----


@pytest.mark.parametrize("name", ["ALLOWED_IPS", "TRUSTED_PROXIES"])
def test_a_setting_is_a_list_with_blanks_ignored(tmp_path, name):
    settings = load({name: " 203.0.113.7, ,2001:db8::/32,"}, tmp_path / "absent.txt")
    assert getattr(settings, name.lower()) == ("203.0.113.7", "2001:db8::/32")


@pytest.mark.parametrize("name", ["ALLOWED_IPS", "TRUSTED_PROXIES"])
def test_a_setting_that_is_blank_restricts_nothing(tmp_path, name):
    assert getattr(load({name: " , "}, tmp_path / "absent.txt"), name.lower()) == ()


@pytest.mark.parametrize("name", ["ALLOWED_IPS", "TRUSTED_PROXIES"])
def test_a_bad_block_in_a_setting_is_refused_by_name_and_position(tmp_path, name):
    with pytest.raises(SettingsError) as caught:
        load({name: "203.0.113.7, 10.0.0.0/99"}, tmp_path / "absent.txt")
    assert str(caught.value) == f"{name}: entry 2 is neither an address nor a CIDR block"
