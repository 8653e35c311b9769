"""Which addresses may be connected to: public ones, and the private ones that an administrator opened.

A name is resolved once; what was checked is what is connected to, so that a name which means something else a moment
later leads nowhere else. One that means several addresses is tried at each, as a server may listen at one kind alone.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from control_plane.domain.addresses import is_public

_MOST_TRIED = 8  # addresses of a name
_NOT_KNOWN = (socket.EAI_AGAIN, socket.EAI_FAIL)  # nobody who could know the name answered


class NameUnknown(Exception):
    """There is no host of this name; the message says what was answered."""


class NobodyKnows(NameUnknown):
    """No server that could know the name answered, as where there is no internet."""


class AddressPrivate(Exception):
    """The name means private addresses alone, and none of them is opened."""


def resolved(host: str, port: int, networks: str) -> list[str]:
    """The addresses to connect to for a host's name, in the order to try them in; never empty.

    `networks` are the private ones that are opened, with commas between. Raises NameUnknown, AddressPrivate.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as problem:
        if problem.errno in _NOT_KNOWN:
            raise NobodyKnows(problem.strerror) from problem
        raise NameUnknown(problem.strerror) from problem
    except (UnicodeError, ValueError) as problem:  # no name that could be asked for
        raise NameUnknown(str(problem)) from problem
    addresses = dict.fromkeys(str(one[4][0]) for one in found)
    allowed = [one for one in addresses if is_public(one) or is_opened(one, networks)]
    if not allowed:
        raise AddressPrivate
    return allowed[:_MOST_TRIED]


def connected(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """A connection to the first address that answers; `seconds` are for all of them. Raises OSError, the last one's."""
    each, problem = seconds / len(addresses), OSError()
    for address in addresses:
        try:
            found = socket.create_connection((address, port), each)
        except OSError as failed:
            problem = failed
        else:
            found.settimeout(seconds)
            return found
    raise problem


def is_opened(address: str, networks: str) -> bool:
    """Whether an address lies in one of the networks, which have commas between."""
    found = ipaddress.ip_address(address.partition("%")[0])
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in ipaddress.ip_network(one.strip()) for one in networks.split(",") if one.strip())
