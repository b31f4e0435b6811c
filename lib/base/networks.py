"""Addresses, and lists of them as settings and keys spell them: IPv4, IPv6, and blocks in CIDR notation.

Sources: RFC 4632 (CIDR), RFC 4291 (IPv6).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")  # IPv4 addresses as IPv6 sockets show them (RFC 4291, 2.5.5.2)


def parse_networks(words: Iterable[str]) -> tuple[Network, ...]:
    """The blocks that `words` name; blanks are passed over, bits right of the prefix are dropped.

    A block of IPv4-mapped addresses becomes the IPv4 block that it means. Raises `ValueError` with the
    position of the first bad word, counted from 1, and not its text.
    """
    found = []
    for position, word in enumerate(words, 1):
        if text := word.strip():
            try:
                found.append(_network(text))
            except ValueError:
                raise ValueError(f"entry {position} is neither an address nor a CIDR block") from None
    return tuple(found)


def is_loopback(address: str) -> bool:
    """Whether a text is an address of this machine that no other can reach."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_this_machine(host: str) -> bool:
    """Whether a host, by address or as `localhost`, is this machine and no other."""
    return host == "localhost" or is_loopback(host)


def _network(text: str) -> Network:
    if "%" in text:
        raise ValueError("a zone (RFC 4007) means nothing in a list")
    network = ipaddress.ip_network(text, strict=False)
    if not isinstance(network, ipaddress.IPv6Network) or not network.subnet_of(_MAPPED):
        return network
    address = int(network.network_address) & 0xFFFF_FFFF
    return ipaddress.IPv4Network((address, network.prefixlen - _MAPPED.prefixlen))
