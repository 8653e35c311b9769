"""What the name of a host says about who can reach it."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host means the machine that uses the name."""
    name = _bare(host)
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def is_anybodys(host: str) -> bool:
    """Whether a host says nothing at all of where it is: to listen on it (`0.0.0.0`) is to listen everywhere."""
    address = _address(_bare(host))
    return address is not None and address.is_unspecified


def is_public(address: str) -> bool:
    """Whether an address, not a name, is one that anybody reaches: no network of a house, of this machine or a link.

    An IPv6 address that stands for an IPv4 one (mapped, NAT64, 6to4, Teredo) is what that is.
    """
    found = _address(_bare(address).partition("%")[0])
    if found is None:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inside = _embedded(found)
        if inside:
            return all(is_public(str(one)) for one in inside)
        if found.is_site_local:  # given up, and still what a house's network may be numbered by
            return False
    elif any(found in network for network in _NOBODYS):
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


_NOBODYS = (
    ipaddress.ip_network("192.0.0.0/24"),  # for protocols: who answers there is on one's own network
    ipaddress.ip_network("192.88.99.0/24"),  # the relays of 6to4, which was given up
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")  # the old way to write an IPv4 address as an IPv6 one
_LOW = 0xFFFF_FFFF


def _embedded(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address.sixtofour:
        return [address.sixtofour]
    if address.teredo:
        return list(address.teredo)
    if address in _NAT64 or address in _COMPATIBLE:
        return [ipaddress.IPv4Address(int(address) & _LOW)]
    return []


def at_port(host: str, port: int) -> str:
    """host:port, with brackets where the host is an IPv6 address."""
    return f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"


def _bare(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
