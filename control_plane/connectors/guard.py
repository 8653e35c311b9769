"""Which addresses a source may be at: public ones, and the private ones that an administrator opened.

A name is resolved once; what was checked is what is connected to, so that a name which means something else a moment
later leads nowhere else. One that means several addresses is tried at each, as a server may listen at one kind alone.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from control_plane.domain.addresses import is_public
from control_plane.domain.connectors import Wanted
from control_plane.domain.errors import SourceAddressPrivate, SourceOffline, SourceUnreachable

_MOST_TRIED = 8  # addresses of a name
_NOT_KNOWN = (socket.EAI_AGAIN, socket.EAI_FAIL)  # nobody who could know the name answered


def allowed_addresses(wanted: Wanted, host: str, port: int) -> list[str]:
    """The addresses to connect to for a host's name, in the order to try them in; never empty.

    Raises SourceUnreachable, SourceOffline, SourceAddressPrivate.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as problem:
        if problem.errno in _NOT_KNOWN:
            raise SourceOffline(place=host) from problem
        raise SourceUnreachable(place=host, problem=problem.strerror) from problem
    except (UnicodeError, ValueError) as problem:  # no name that could be asked for
        raise SourceUnreachable(place=host[:200], problem=str(problem)) from problem
    addresses = dict.fromkeys(str(one[4][0]) for one in found)
    allowed = [one for one in addresses if is_public(one) or _is_opened(one, wanted.opened.networks)]
    if not allowed:
        raise SourceAddressPrivate(place=host)
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


def _is_opened(address: str, networks: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in ipaddress.ip_network(one.strip()) for one in networks.split(",") if one.strip())
