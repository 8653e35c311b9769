"""Who may do what: the actor, and one table of permissions from which the built-in roles are made.

Roles are rows (`store/roles.py`; the first migration writes the built-in ones), so a role is data and not code. A user
has one role per project, and `services/access/identity.py` hands its permissions to the actor. An administrator may do
everything that is not inside a project, and everything in each project. A machine is an actor too: it may do nothing
here, its calls are checked against its own attempts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from control_plane.domain.errors import Denied, NotFound

_OWNER, _DEVELOPER, _EXPERT, _VIEWER = _NAMES = ("Owner", "Developer", "Expert", "Viewer")

_ALL = frozenset(_NAMES)
_WORK = frozenset({_OWNER, _DEVELOPER, _EXPERT})

# permission → the built-in roles that have it; an empty set means administrators only
PERMISSIONS: Mapping[str, frozenset[str]] = {
    "project.see": _ALL,
    "dataset.see": _ALL,
    "dataset.upload": _WORK,
    "dataset.change": _WORK,
    "job.see": _ALL,
    "job.submit": _WORK,
    "job.cancel": _WORK,
    "job.change": _WORK,
    "model.see": _ALL,
    "model.import": _WORK,
    "model.change": _WORK,
    "evaluation.see": _ALL,
    "deployment.see": _ALL,
    "deployment.change": _WORK,
    "deployment.use": _ALL,
    "endpoint.use": _WORK,
    "endpoint.change": frozenset({_OWNER, _DEVELOPER}),
    "workflow.approve": _WORK,
    "case.see": _ALL,
    "case.change": _WORK,
    "workflow.see": _ALL,
    "workflow.change": _WORK,
    "prompt.see": _ALL,
    "prompt.change": _WORK,
    "reward.see": _ALL,
    "reward.change": _WORK,
    "method.see": _ALL,
    "method.write": frozenset({_OWNER, _DEVELOPER}),
    "method.publish": frozenset(),
    "listener.see": frozenset({_OWNER, _DEVELOPER}),
    "listener.change": frozenset({_OWNER, _DEVELOPER}),
    "member.see": frozenset({_OWNER}),
    "member.change": frozenset({_OWNER}),
    "audit.see": frozenset({_OWNER}),
    "machine.see": _ALL,
    "machine.change": frozenset(),
    "machine.join": frozenset(),
    "user.see": frozenset(),
    "user.change": frozenset(),
    "project.create": frozenset(),
    "project.change": frozenset({_OWNER}),
    "trash.purge": frozenset(),
    "metrics.see": frozenset(),
}


@dataclass(frozen=True)
class Role:
    """What its bearers may do in a project."""

    name: str
    permissions: frozenset[str]


BUILT_IN_ROLES = tuple(Role(name, frozenset(one for one, has in PERMISSIONS.items() if name in has)) for name in _NAMES)
OWNER, DEVELOPER, EXPERT, VIEWER = BUILT_IN_ROLES


@dataclass(frozen=True)
class Actor:
    """Who acts: a user (with the projects' roles), a machine, or the system itself."""

    kind: str  # user | machine | system
    id: str
    name: str
    administrator: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)  # by project id
    address: str = ""  # where the request came from, for the audit

    def may(self, permission: str, project_id: int | None = None) -> bool:
        """Whether this actor has `permission`, in a project if one is given, otherwise in any or none."""
        PERMISSIONS[permission]  # one that does not exist is a mistake of the caller
        if self.kind == "system" or self.administrator:
            return True
        if project_id is None:
            return any(permission in role.permissions for role in self.roles.values())
        return project_id in self.roles and permission in self.roles[project_id].permissions


SYSTEM = Actor(kind="system", id="system", name="Tunesmith")


def require(actor: Actor, permission: str, project_id: int | None = None) -> None:
    """Raise NotFound where the project is not the actor's at all (its existence is not given away), else Denied."""
    if actor.may(permission, project_id):
        return
    if project_id is not None and project_id not in actor.roles:
        raise NotFound
    raise Denied(permission=permission)
