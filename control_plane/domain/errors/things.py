"""Names, lists and the trash."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict, Invalid, NotFound


class NameInvalid(Invalid):
    """“{name}” is not a valid name: use lower-case letters, digits, dots, underscores and hyphens, at most 64
    of them."""


class NameTaken(Conflict):
    """“{name}” exists already."""


class UserUnknown(NotFound):
    """There is nobody called “{name}”."""


class FieldInvalid(Invalid):
    """{field}: {problem}"""


class InTrash(NotFound):
    """“{name}” is in the trash. Restore it to use it again."""


class NotInTrash(Conflict):
    """“{name}” is not in the trash."""


class InUse(Conflict):
    """“{name}” is in use: {users}."""


class ServedBy(InUse):
    """“{name}” is what these deployments serve: {users}. Delete them first."""


class CarriedBy(InUse):
    """“{name}” is what these deployments carry: {users}. Have them carry another prompt, or none, first."""


class ReadByJobs(InUse):
    """“{name}” is read by jobs that have not ended: {users}. Wait for them, or cancel them."""


class RestedOn(InUse):
    """“{name}” is what these models rest on: {users}. Delete them first."""


class RunUnderWay(InUse):
    """“{name}” belongs to workflow runs that still go on: {users}. Wait for them, or cancel them."""


class SweepUnderWay(InUse):
    """“{name}” belongs to sweeps that still go on: {users}. Wait for them, or cancel them."""


class JobUnderWay(Conflict):
    """“{name}” has not ended. Cancel it first."""


class DeploymentWanted(Conflict):
    """“{name}” is to be served. Stop it first."""


class NeedsTrashed(Conflict):
    """“{name}” needs “{other}”, which is in the trash. Restore that first."""


class NeedsPurged(Conflict):
    """“{name}” needs “{other}”, which was deleted for good."""
