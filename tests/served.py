"""A deployment that is served, as rows, and a token to ask it with."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.services.access import people, projects
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord


def token_of(cp: ControlPlane, name: str) -> str:
    user = UserRecord.get(UserRecord.name == name)
    secret = people.credentials.new_token(cp, user, "test", 1_000_000.0)[0]
    return str(secret)


def serve(cp: ControlPlane, project: str, name: str, state: str = "SERVING") -> ReplicaRecord:
    """Rows of a deployment whose replica has reported `state`."""
    place = projects.get(SYSTEM, cp, project)
    machine, _ = MachineRecord.get_or_create(
        id="m1",
        defaults={
            "name": "m1",
            "machine_class": "server",
            "key_hash": "k",
            "serial": "s",
            "enrolled_at": 0,
            "connectivity": "ONLINE",
        },
    )
    method = MethodVersionRecord.create(
        name=f"m-{name}-{project}",
        hash=project + name,
        kind="export",
        manifest={},
        requirements="",
        files=[],
        created_at=0,
    )
    job = JobRecord.create(
        project=place,
        name=name,
        method_version=method,
        kind="export",
        parameters={},
        inputs={},
        seed=1,
        state="SUCCEEDED",
        created_by="1",
        created_at=0,
    )
    attempt = AttemptRecord.create(
        job=job, number=1, machine=machine, fence=1, state="SUCCEEDED", offered_at=0, offer_expires_at=0
    )
    artifact = ArtifactRecord.create(attempt=attempt, name="model", files=[], hash="h", size=1, begun_at=0)
    model = ModelRecord.create(
        project=place, name=name, form="gguf", job=job, artifact=artifact, hash="h", size=1, card={}, created_at=0
    )
    deployment = DeploymentRecord.create(
        project=place,
        name=name,
        model=model,
        desired_state="SERVING",
        context_length=2048,
        slots=4,
        created_by="1",
        created_at=7,
    )
    return ReplicaRecord.create(
        deployment=deployment,
        machine=machine,
        desired_state="SERVING",
        generation=1,
        observed_generation=1,
        state=state,
    )
