"""Where a caller is: lists of addresses, and the address behind trusted proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from lib.base import parse_networks

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Blocks = Mapping[int, Mapping[int, frozenset[int]]]  # IP version -> mask -> first addresses


@dataclass(frozen=True, slots=True)
class AddressList:
    """Addresses and CIDR blocks, parsed once. IPv4 is compared as IPv4, however either side spells it:
    `::ffff:10.0.0.1` is `10.0.0.1`, and `::/0` holds IPv6 alone."""

    _blocks: _Blocks = field(default_factory=dict)

    @classmethod
    def parse(cls, words: Iterable[str]) -> Self:
        """The list that `words` spell, blanks passed over. Raises `ValueError` with a bad word's position."""
        sorted_out: dict[int, dict[int, set[int]]] = {}
        for network in parse_networks(words):
            masks = sorted_out.setdefault(network.version, {})
            masks.setdefault(int(network.netmask), set()).add(int(network.network_address))
        return cls(
            {
                version: {mask: frozenset(starts) for mask, starts in masks.items()}
                for version, masks in sorted_out.items()
            }
        )

    def __bool__(self) -> bool:
        """Whether it holds any address."""
        return bool(self._blocks)

    def __contains__(self, address: object) -> bool:
        """Whether an address (text, or parsed) is in one of the blocks; what is no address is in none."""
        parsed = _parse(address) if isinstance(address, str) else address
        if not isinstance(parsed, Address):
            return False
        number, masks = int(parsed), self._blocks.get(parsed.version, {})
        return any(number & mask in starts for mask, starts in masks.items())

    def admits(self, address: str | None) -> bool:
        """Whether a caller may come from `address`. An empty list is no restriction; else None is refused."""
        return not self._blocks or address in self


def client_address(peer: str | None, forwarded_for: str | None, trusted: AddressList) -> str | None:
    """The caller's address, in its usual spelling: the peer's, or behind trusted proxies the right-most
    address of X-Forwarded-For that is not trusted (the left-most when all are).

    An entry that is no address ends the search: whoever is known to have sent it is the caller then.
    None when the peer is no address, as on a Unix socket.
    """
    known = _parse(peer or "")
    if known is None:
        return None
    for entry in reversed((forwarded_for or "").split(",")):
        if known not in trusted:
            break
        if not entry.strip():
            continue
        before = _parse(_without_port(entry.strip()))
        if before is None:
            break
        known = before
    return str(known)


def failure_key(address: str | None) -> str:
    """Whose failures are counted together: an IPv4 address, an IPv6 /64 (one household, RFC 6177), or all unknown."""
    parsed = _parse(address or "")
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed) if parsed else "unknown"


def _parse(text: str) -> Address | None:
    """The address without its zone (RFC 4007); IPv4 when it is an IPv4-mapped one."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address
    return address


def _without_port(entry: str) -> str:
    """`1.2.3.4:567` -> `1.2.3.4`, `[::1]:80` -> `::1`; anything else as it is."""
    if entry.startswith("["):
        inside, closed, port = entry[1:].partition("]")
        return inside if closed and (not port or _is_port(port)) else ""
    host, colon, port = entry.partition(":")
    return host if colon and "." in host and _is_port(f":{port}") else entry


def _is_port(text: str) -> bool:
    return text[:1] == ":" and text[1:].isascii() and text[1:].isdigit()
