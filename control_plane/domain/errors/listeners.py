"""Listeners of events: what cannot be told to them, and why."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, TunesmithError


class ListenersTooMany(Conflict):
    """A project has at most {most} listeners. Remove one that nobody needs any more."""


class ListenerTestWaits(Conflict):
    """A test is on its way already."""


class DeliveryWaits(Conflict):
    """This delivery is on its way already."""


class MailNotSetUp(Conflict):
    """An administrator has not set up mail yet (TUNESMITH_SMTP_HOST, TUNESMITH_SMTP_SENDER)."""


class PythonListenerClosed(Conflict):
    """The Python listener “{name}” is not one that an administrator named (TUNESMITH_PYTHON_LISTENERS)."""


class ListenerFault(TunesmithError):
    """The listener could not be told."""


class ListenerUnreachable(ListenerFault):
    """{place} cannot be reached: {problem}"""


class ListenerAddressPrivate(ListenerFault):
    """{place} is at an address inside a private network. An administrator can open it (TUNESMITH_LISTENER_NETWORKS)."""


class ListenerUnencrypted(ListenerFault):
    """{place} is reached without encryption. Use an address that begins with https://."""


class ListenerSilent(ListenerFault):
    """{place} did not answer within {allowed}."""


class ListenerRefused(ListenerFault):
    """{place} answered with {code}."""


class ListenerRedirects(ListenerFault):
    """{place} leads to another address ({code}), which is not followed. Enter that address yourself."""


class ListenerBehind(ListenerFault):
    """More than {most} events waited to be told. The oldest of them were given up."""


class PythonListenerMissing(ListenerFault):
    """No installed package offers the Python listener “{name}”."""


class PythonListenerBroke(ListenerFault):
    """The Python listener “{name}” failed. The control plane’s log has the details."""


class ListenerAddressInvalid(Invalid):
    """“{place}” is not an address that can be told events. One begins with https:// and holds no password."""


class ListenerEventsNone(Invalid):
    """Choose at least one event."""


class ListenerEventUnknown(Invalid):
    """There is no event “{event}”. There are: {known}."""
