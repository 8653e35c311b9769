"""The link between machines and the control plane, and the files that pass over it."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Denied, Invalid, Unavailable


class Fenced(Conflict):
    """A newer attempt has taken over; this one must stop."""

    status = "fenced"


class Superseded(Conflict):
    """A newer session of this machine has taken over."""

    status = "fenced"


class VersionRefused(Conflict):
    """The agent {agent} cannot work with the control plane {control_plane}: it may be up to 3 minor versions
    older, never newer."""


class CertificateRefused(Denied):
    """The certificate is not, or no longer, valid for this fleet."""

    status = "unauthenticated"


class JoinTokenRefused(Denied):
    """The join token is unknown, expired or already used."""

    status = "unauthenticated"


class AddressLoopback(Conflict):
    """Other machines cannot reach this control plane: its address is {address}, which means “this machine” everywhere.
    Set TUNESMITH_PUBLIC_HOST to a name or address that they can reach, and TUNESMITH_HOST to 0.0.0.0 so that it listens
    there; then start it again."""


class SequenceGap(Conflict):
    """Report {sequence} came before report {expected}."""


class ChunkCorrupt(Invalid):
    """A chunk does not match its sha256."""


class ArtifactIncomplete(Conflict):
    """The artifact lacks {missing} chunks."""


class ArtifactUnderWay(Unavailable):
    """The artifact's files are still being verified. Ask again in a moment."""


class PathRefused(Invalid):
    """The file name “{path}” is not allowed."""


class FileTypeRefused(Invalid):
    """The file “{path}” is of a type that may not leave a machine."""


class DiskFull(Unavailable):
    """The disk is full: {needed} are needed and {free} are free."""
