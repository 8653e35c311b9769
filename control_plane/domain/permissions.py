"""Who may do what: the actor, the roles, and one table.

An administrator may do everything that is not inside a project, and everything in each project. A user has one role per
project. A machine is an actor too: it may do nothing here, its calls are checked against its own attempts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from control_plane.domain.errors import Denied, NotFound

OWNER, DEVELOPER, EXPERT, VIEWER = "Owner", "Developer", "Expert", "Viewer"
ROLES = (OWNER, DEVELOPER, EXPERT, VIEWER)

_ALL = frozenset(ROLES)
_WORK = frozenset({OWNER, DEVELOPER, EXPERT})

# permission → the project roles that have it; an empty set means administrators only
PERMISSIONS: Mapping[str, frozenset[str]] = {
    "project.see": _ALL,
    "dataset.see": _ALL,
    "dataset.upload": _WORK,
    "job.see": _ALL,
    "job.submit": _WORK,
    "job.cancel": _WORK,
    "model.see": _ALL,
    "model.import": _WORK,
    "evaluation.see": _ALL,
    "deployment.see": _ALL,
    "deployment.change": _WORK,
    "deployment.use": _ALL,
    "case.see": _ALL,
    "method.see": _ALL,
    "member.see": frozenset({OWNER}),
    "member.change": frozenset({OWNER}),
    "audit.see": frozenset({OWNER}),
    "machine.see": _ALL,
    "machine.change": frozenset(),
    "machine.join": frozenset(),
    "user.see": frozenset(),
    "user.change": frozenset(),
    "project.create": frozenset(),
}


@dataclass(frozen=True)
class Actor:
    """Who acts: a user (with the projects' roles), a machine, or the system itself."""

    kind: str  # user | machine | system
    id: str
    name: str
    administrator: bool = False
    roles: Mapping[int, str] = field(default_factory=dict)  # project id → role
    address: str = ""  # where the request came from, for the audit

    def may(self, permission: str, project_id: int | None = None) -> bool:
        """Whether this actor has `permission`, in a project if one is given, otherwise in any or none."""
        allowed = PERMISSIONS[permission]
        if self.kind == "system" or self.administrator:
            return True
        if project_id is None:
            return any(role in allowed for role in self.roles.values())
        return self.roles.get(project_id) in allowed


SYSTEM = Actor(kind="system", id="system", name="Tunesmith")


def require(actor: Actor, permission: str, project_id: int | None = None) -> None:
    """Raise NotFound where the project is not the actor's at all (its existence is not given away), else Denied."""
    if actor.may(permission, project_id):
        return
    if project_id is not None and project_id not in actor.roles:
        raise NotFound
    raise Denied(permission=permission)
