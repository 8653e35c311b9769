"""What deployments carry beside their model: a version of a prompt, and a schema that answers are held to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.domain.prompts import answer_schema, carried
from control_plane.domain.prompts.prompt import Prompt
from control_plane.services import audit, deployments
from control_plane.services.prompts import kept
from control_plane.services.prompts.kept import Kept
from control_plane.services.things import kinds
from control_plane.store.database import transaction
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.prompts import PromptRecord, PromptVersionRecord


def carry(
    actor: Actor, cp: ControlPlane, deployment_id: int, prompt: str, schema: Mapping[str, Any]
) -> DeploymentRecord:
    """Have a deployment carry this version (`name@3`, or the newest of `name`) and this schema; empty: none.

    What it serves stays as it is, and so does each answer that nobody asks for with them. Raises NotFound, Denied,
    InTrash, PromptUnknown, SchemaUnreadable, SchemaUnfit.
    """
    deployment = deployments.get(actor, cp, deployment_id, "deployment.change")
    project: ProjectRecord = ProjectRecord.get_by_id(deployment.project_id)
    if schema:
        answer_schema.checked(dict(schema))
    with transaction():
        kinds.kept(DeploymentRecord.get_by_id(deployment.id))
        chosen = kept.version(actor, cp, project.name, prompt) if prompt else None
        columns = {"prompt_version": chosen.version.id if chosen else None, "answer_schema": dict(schema)}
        kinds.write(deployment, **columns)
        said = {"name": deployment.name, "prompt": label(chosen) if chosen else "", "schema": bool(schema)}
        audit.record(actor, cp, "deployment.carry", f"deployment:{deployment.id}", project.id, **said)
    cp.signals.wake(f"deployment:{deployment.id}", f"project:{project.id}")
    return DeploymentRecord.get_by_id(deployment.id)


def of(found: Collection[DeploymentRecord]) -> dict[int, Kept]:
    """Deployment id → the version that it carries; the caller has shown that it may see them."""
    numbers = {int(one.prompt_version_id) for one in found if one.prompt_version_id}
    if not numbers:
        return {}
    query = PromptVersionRecord.select(PromptVersionRecord, PromptRecord).join(PromptRecord)
    versions = {int(one.id): Kept(one.prompt, one) for one in query.where(PromptVersionRecord.id.in_(numbers))}
    return {int(one.id): versions[int(one.prompt_version_id)] for one in found if one.prompt_version_id}


def label(found: Kept) -> str:
    """A version as callers name it: `name@3`."""
    return f"{found.prompt.name}@{found.version.number}"


def applied(deployment: DeploymentRecord, asked: Mapping[str, Any], wanted: frozenset[str]) -> dict[str, Any]:
    """A request with what is wanted of what a deployment carries. Raises NothingCarried, ParameterMissing."""
    prompt: Prompt | None = None
    if carried.PROMPT in wanted and deployment.prompt_version_id:
        prompt = kept.said(PromptVersionRecord.get_by_id(deployment.prompt_version_id))
    return carried.applied(asked, wanted, str(deployment.name), prompt, deployment.answer_schema)
