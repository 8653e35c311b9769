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
