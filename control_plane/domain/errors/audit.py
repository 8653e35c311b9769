"""What a look through the audit record finds wrong."""

from __future__ import annotations

from control_plane.domain.errors.family import Conflict


class AuditFinding(Conflict):
    """The audit record is not as it was written."""


class AuditEntryChanged(AuditFinding):
    """Entry {entry} was changed or removed after it was sealed, or its seal was."""


class AuditEndMissing(AuditFinding):
    """The record once had {count} sealed entries, the last of them {entry}; that end is missing or another one now."""


class AuditHeadMissing(AuditFinding):
    """The signed head of the record is missing, or was not written by this installation."""


class AuditEntryUnsealed(AuditFinding):
    """Entry {entry} has no seal: it was put in afterwards."""


class AuditColumnsOther(AuditFinding):
    """The record's table has other columns than ours: {columns}."""
