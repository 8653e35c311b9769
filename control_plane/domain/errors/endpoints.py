"""Errors of endpoints: models of others that are asked over the network. {place} is the host, never the key."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, Unavailable


class EndpointAddressInvalid(Invalid):
    """“{place}” is not an address that can be asked. One begins with https:// or http:// and holds no password."""


class EndpointAddressPrivate(Invalid):
    """{place} is at an address inside a private network. An administrator can open it (TUNESMITH_ENDPOINT_NETWORKS)."""


class EndpointUnencrypted(Invalid):
    """{place} would be asked without encryption. That is possible inside networks that an administrator opened, and
    nowhere else: write https://."""


class EndpointKeyNeeded(Invalid):
    """The stored key is for another server. Give the key of this one."""


class EndpointGone(Conflict):
    """The endpoint “{name}” is no longer there."""


class EndpointKeyRefused(Conflict):
    """{place} does not take the key of the endpoint “{name}” (HTTP {code}). Give it another one."""


class EndpointModelUnknown(Conflict):
    """{place} does not know the model or the address of the endpoint “{name}” (HTTP {code}): {problem}"""


class EndpointUnpaid(Conflict):
    """{place} says that nothing is left to pay for the endpoint “{name}”: {problem}"""


class EndpointSpent(Conflict):
    """The endpoint “{name}” was asked {most} times today, which is the most that is allowed. Go on tomorrow, or allow
    more."""


class EndpointRefused(Invalid):
    """{place} refused the question (HTTP {code}): {problem}"""


class EndpointUnreachable(Unavailable):
    """{place} cannot be reached: {problem}"""


class EndpointSilent(Unavailable):
    """{place} gave no answer within {allowed}."""


class EndpointBusy(Unavailable):
    """{place} does not answer at the moment (HTTP {code}), however often it is asked."""


class EndpointFailed(Unavailable):
    """What {place} answered is no chat completion: {problem}"""
