"""Which addresses a source may be at: public ones, and the private ones that an administrator opened."""

from __future__ import annotations

from control_plane.domain.connectors import Wanted
from control_plane.domain.errors import SourceAddressPrivate, SourceOffline, SourceUnreachable
from control_plane.outward import guard


def allowed_addresses(wanted: Wanted, host: str, port: int) -> list[str]:
    """The addresses to connect to for a host's name, in the order to try them in; never empty.

    Raises SourceUnreachable, SourceOffline, SourceAddressPrivate.
    """
    try:
        return guard.resolved(host, port, wanted.opened.networks)
    except guard.NobodyKnows as problem:
        raise SourceOffline(place=host) from problem
    except guard.NameUnknown as problem:
        raise SourceUnreachable(place=host[:200], problem=str(problem)) from problem
    except guard.AddressPrivate as problem:
        raise SourceAddressPrivate(place=host) from problem
