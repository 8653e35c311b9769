"""Deployments: models that are to be served, and which machine serves it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, ModelOnlyScores, ModelUnfit, NotFound, NothingServes, Superseded
from control_plane.domain.forms import REWARD
from control_plane.domain.instructions import Serve
from control_plane.domain.lifecycle import DISCONNECTED, FAILED, ONLINE, QUEUED, SERVING, STALE, STARTING, STOPPED
from control_plane.domain.matching import Need, Placement, QueuedJob, Snapshot, plan
from control_plane.domain.names import checked
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.presence import ReplicaStatus
from control_plane.services import audit, models, pins, transitions
from control_plane.services.access import projects
from control_plane.services.fleet import offers, snapshots
from control_plane.services.things.kinds import MODEL, has_tag, is_kept, kept
from control_plane.store.allocations import AllocationRecord
from control_plane.store.database import transaction
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord

_MOST_CONTEXT, _MOST_SLOTS = 1 << 20, 64
_ENGINE = 256 << 20  # bytes that an engine takes beside the model
_STATES = frozenset({STARTING, SERVING, STOPPED, FAILED})
_IS_OBSERVED = ReplicaRecord.observed_generation == ReplicaRecord.generation  # a condition of SQL


@dataclass(frozen=True)
class Condition:
    """How a deployment stands: QUEUED | STARTING | SERVING | STOPPED | FAILED, and why.

    `code` and `params` are a reason to wait while it is QUEUED, an error's otherwise; empty where all is well. The
    machine is the one that is to serve; both of its fields are empty where there is none.
    """

    state: str
    code: str
    params: dict[str, Any]
    machine_id: str = ""
    machine_name: str = ""
    given_up: bool = False  # its engine has failed, and the pass that looked for another machine found none


def deploy(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    name: str,
    model_id: int,
    context_length: int = 2048,
    slots: int = 4,
) -> DeploymentRecord:
    """Have a model served under `name`; the same name again changes the desired state of the same deployment.

    Where the same was desired already and has failed, it is tried anew, also by machines that have failed with it.
    `context_length` is tokens a slot, `slots` concurrent requests. Raises NotFound, Denied, NameInvalid, ModelUnfit,
    ModelOnlyScores, FieldInvalid.
    """
    place = projects.get(actor, cp, project, "deployment.change")
    model = models.get(actor, cp, model_id)
    if model.project_id != place.id:
        raise NotFound
    if model.form == REWARD:
        raise ModelOnlyScores(model=model.name)
    if model.form != "gguf":
        raise ModelUnfit(model=model.name)
    _within("context_length", context_length, _MOST_CONTEXT)
    _within("slots", slots, _MOST_SLOTS)
    desired = {"model": model, "context_length": context_length, "slots": slots, "desired_state": SERVING}
    with transaction():
        pins.refuse_gone(place.id, [{"kind": MODEL, "id": model.id}])
        deployment = _by_name(place, checked(name))
        if deployment is None:
            made = {"created_by": actor.id, "created_at": cp.clock(), "waiting_code": "not_planned"}
            deployment = DeploymentRecord.create(project=place, name=name, **desired, **made)
        elif not _is_same(deployment, desired) or condition(deployment).state == FAILED:
            _desire(deployment, waiting_code="", waiting_params={}, **desired)
            _serve_anew_or_elsewhere(cp, DeploymentRecord.get_by_id(deployment.id))
        subject = f"deployment:{deployment.id}"
        audit.record(actor, cp, "deployment.deploy", subject, place.id, name=name, model=model.id)
    wake(cp, deployment)
    return DeploymentRecord.get_by_id(deployment.id)


def stop(actor: Actor, cp: ControlPlane, deployment_id: int) -> DeploymentRecord:
    """Have it served no longer. Raises NotFound, Denied."""
    deployment = get(actor, cp, deployment_id, "deployment.change")
    with transaction():
        if deployment.desired_state != STOPPED:
            _desire(deployment, desired_state=STOPPED, waiting_code="", waiting_params={})
            if (replica := _desired_replica(deployment)) is not None:
                transitions.stop_replica(replica)
            audit.record(actor, cp, "deployment.stop", f"deployment:{deployment.id}", deployment.project_id)
    wake(cp, deployment)
    return DeploymentRecord.get_by_id(deployment.id)


def get(actor: Actor, cp: ControlPlane, deployment_id: int, permission: str = "deployment.see") -> DeploymentRecord:
    """One deployment. Raises NotFound, InTrash, Denied."""
    deployment: DeploymentRecord = kept(projects.inside(actor, DeploymentRecord, deployment_id, permission))
    return deployment


def list_deployments(actor: Actor, cp: ControlPlane, project: str, tag: str = "") -> list[DeploymentRecord]:
    """The deployments of a project, or that bear a tag, by name. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "deployment.see").id
    query = DeploymentRecord.select().where(DeploymentRecord.project == project_id, is_kept(DeploymentRecord))
    if tag:
        query = query.where(has_tag(DeploymentRecord, tag))
    return list(query.order_by(DeploymentRecord.name))


def condition(deployment: DeploymentRecord) -> Condition:
    """How the deployment stands right now."""
    if deployment.desired_state == STOPPED:
        return Condition(STOPPED, "", {})
    replica = _desired_replica(deployment)
    if replica is None:
        return Condition(QUEUED, deployment.waiting_code, deployment.waiting_params)
    machine = replica.machine
    if machine.connectivity not in (ONLINE, STALE):
        return Condition(QUEUED, "no_machine_online", {}, machine.id, machine.name)
    seen = replica.state if replica.observed_generation == replica.generation else STARTING
    # an engine that went away unasked is about to be started again
    shown = STARTING if seen == STOPPED else seen
    given_up = shown == FAILED and bool(deployment.waiting_code)
    return Condition(shown, replica.reason, replica.reason_params, machine.id, machine.name, given_up)


def wait(actor: Actor, cp: ControlPlane, deployment_id: int, after_version: int, seconds: float) -> DeploymentRecord:
    """The deployment, as soon as its version is beyond `after_version`; after `seconds` at the latest, as it is then.

    Raises NotFound, Denied.
    """
    topic = f"deployment:{deployment_id}"
    seen = {topic: cp.signals.version(topic)}
    deployment = get(actor, cp, deployment_id)
    if deployment.version > after_version:
        return deployment
    cp.signals.wait(frozenset({topic}), seen, seconds)
    return get(actor, cp, deployment_id)


def serving_replica(actor: Actor, cp: ControlPlane, project: str | None, name: str) -> ReplicaRecord:
    """The replica that answers requests for a deployment. With no project the name must be the only one of its kind.

    Raises NotFound, Denied, FieldInvalid, NothingServes.
    """
    if project is None:
        named = DeploymentRecord.select().where(DeploymentRecord.name == name, is_kept(DeploymentRecord))
        found = [one for one in named if actor.may("deployment.use", one.project_id)]
    else:
        only = _by_name(projects.get(actor, cp, project, "deployment.use"), name)
        found = [only] if only else []
    if not found:
        raise NotFound
    if len(found) > 1:
        raise FieldInvalid(field="model", problem=f"<project>/{name}")
    replica = _desired_replica(found[0])
    if replica is None or condition(found[0]).state != SERVING:
        raise NothingServes(deployment=name)
    replica.deployment = found[0]  # as it was read: an event loop may look at it without asking the store
    return replica


# ---- the machines' side


def place(cp: ControlPlane) -> int:
    """Give each deployment that is to be served and has no machine a machine that fits; how many were placed.

    One whose engine does not come up is tried on another machine, if one fits that has not failed with it yet; if
    none does, why not is noted, and with that it is given up until something changes.
    """
    _give_up_lost(cp)
    served = ReplicaRecord.select(ReplicaRecord.deployment).where(
        ReplicaRecord.desired_state == SERVING, (ReplicaRecord.state != FAILED) | ~_IS_OBSERVED
    )
    query = DeploymentRecord.select().where(
        DeploymentRecord.desired_state == SERVING, DeploymentRecord.id.not_in(served)
    )
    open_ones = {one.id: one for one in query}
    if not open_ones:
        return 0
    failing = _failing(open_ones)
    jobs = tuple(_as_job(one, _failed_with(one, failing.get(one.id))) for one in open_ones.values())
    planned = plan(Snapshot(jobs, snapshots.machines(cp)))
    with transaction():
        placed = [one for one in planned.offers if _place(cp, open_ones[one.job_id], one, failing.get(one.job_id))]
        for deployment_id, (code, params) in planned.waiting.items():
            one = open_ones[deployment_id]
            if (one.waiting_code, one.waiting_params) != (code, params):
                _change(one, waiting_code=code, waiting_params=params)
    machines = {f"machine:{one.machine_id}" for one in placed} | {
        f"machine:{one.machine_id}" for one in failing.values()
    }
    again = () if len(placed) == len(planned.offers) else ("schedule",)
    cp.signals.wake(*(f"deployment:{one}" for one in open_ones), *(machines if placed else ()), *again)
    return len(placed)


def observe(actor: Actor, cp: ControlPlane, epoch: int, statuses: Iterable[ReplicaStatus]) -> None:
    """Take down what a machine sees of its replicas; what answers an older generation is dropped. Raises Superseded."""
    changed = []
    with transaction():
        if not MachineRecord.select().where(MachineRecord.id == actor.id, MachineRecord.epoch == epoch).exists():
            raise Superseded
        for status in statuses:
            replica = ReplicaRecord.get_or_none(
                ReplicaRecord.id == status.replica_id, ReplicaRecord.machine == actor.id
            )
            if replica is not None and status.state in _STATES and _observe(cp, replica, status):
                changed.append(replica.deployment_id)
                DeploymentRecord.update(version=DeploymentRecord.version + 1).where(
                    DeploymentRecord.id == replica.deployment_id
                ).execute()
    # another machine may be looked for, and a run may go on
    cp.signals.wake(*(f"deployment:{one}" for one in changed), *(["schedule"] if changed else []))


def serve_of(replica: ReplicaRecord) -> Serve:
    """What the replica's machine is to serve."""
    deployment = DeploymentRecord.get_by_id(replica.deployment_id)
    promised = AllocationRecord.select(AllocationRecord.device).where(AllocationRecord.replica == replica.id)
    return Serve(
        replica_id=replica.id,
        generation=replica.generation,
        deployment_id=deployment.id,
        name=deployment.name,
        model=offers.model_input("model", ModelRecord.get_by_id(deployment.model_id)),
        context_length=deployment.context_length,
        slots=deployment.slots,
        devices=tuple(one.device for one in promised.order_by(AllocationRecord.id)),
    )


def _observe(cp: ControlPlane, replica: ReplicaRecord, status: ReplicaStatus) -> bool:
    """Whether the report was taken and tells something new."""
    before = (replica.observed_generation, replica.state, replica.reason, replica.restarts)
    columns = {"reason": status.reason[:64], "reason_params": dict(status.params), "restarts": status.restarts}
    taken = transitions.observe_replica(cp, replica, status.generation, status.state, **columns)
    return taken and before != (status.generation, status.state, status.reason[:64], status.restarts)


def _place(cp: ControlPlane, deployment: DeploymentRecord, placement: Placement, failing: ReplicaRecord | None) -> bool:
    """Whether the replica was made: the deployment may have been stopped or changed since it was planned."""
    if failing is not None:
        if not _is_still(deployment, failing) or not transitions.still_fits(cp, placement.grants):
            return False
        transitions.stop_replica(failing, deployment.generation)
    return transitions.create_replica(SYSTEM, cp, deployment, placement.grants) is not None


def _is_still(deployment: DeploymentRecord, failing: ReplicaRecord) -> bool:
    """Whether both are as they were read when the plan was made."""
    return bool(
        DeploymentRecord.select()
        .where(DeploymentRecord.id == deployment.id, DeploymentRecord.generation == deployment.generation)
        .exists()
        and ReplicaRecord.select()
        .where(ReplicaRecord.id == failing.id, ReplicaRecord.generation == failing.generation)
        .where(ReplicaRecord.state == FAILED)
        .exists()
    )


def _failing(open_ones: Collection[int]) -> dict[int, ReplicaRecord]:
    """The replicas that are to serve these deployments and say that they cannot, by deployment."""
    query = ReplicaRecord.select().where(
        ReplicaRecord.deployment.in_(list(open_ones)), ReplicaRecord.desired_state == SERVING
    )
    return {replica.deployment_id: replica for replica in query}


def _failed_with(deployment: DeploymentRecord, failing: ReplicaRecord | None) -> frozenset[str]:
    """The machines that could not serve what is desired now."""
    earlier = ReplicaRecord.select(ReplicaRecord.machine).where(
        ReplicaRecord.deployment == deployment.id, ReplicaRecord.failed_generation == deployment.generation
    )
    return frozenset(one.machine_id for one in [*earlier, *([failing] if failing else [])])


def _give_up_lost(cp: ControlPlane) -> None:
    """Give up replicas whose machine is locked, or has been silent for a whole lease: the next pass places others."""
    silent = cp.clock() - cp.settings.lease_server_seconds
    gone = MachineRecord.select(MachineRecord.id).where(
        (MachineRecord.locked_reason != "")
        | ((MachineRecord.connectivity == DISCONNECTED) & (MachineRecord.last_seen < silent))
    )
    with transaction():
        lost = ReplicaRecord.desired_state == SERVING, ReplicaRecord.machine.in_(gone)
        for replica in ReplicaRecord.select().where(*lost):
            transitions.stop_replica(replica)


def _serve_anew_or_elsewhere(cp: ControlPlane, deployment: DeploymentRecord) -> None:
    """What is desired has changed: the machine that serves goes on if the change fits it, else another is found."""
    replica = _desired_replica(deployment)
    if replica is None:
        return
    here = tuple(one for one in snapshots.machines(cp, without_replica=replica.id) if one.id == replica.machine_id)
    planned = plan(Snapshot((_as_job(deployment, frozenset()),), here))
    if planned.offers or not here or not here[0].online:  # who is away is not asked; it keeps what it has
        transitions.serve_anew(cp, replica, _memory_of(deployment))
    else:
        transitions.stop_replica(replica)


def _as_job(deployment: DeploymentRecord, avoid: frozenset[str]) -> QueuedJob:
    """A deployment as the planner sees it: an engine asks for memory alone, beside attempts."""
    model = ModelRecord.get_by_id(deployment.model_id)
    need = Need(frozenset(), exclusive=False, memory=_memory_of(deployment), disk=model.size, avoid=avoid, engine=True)
    return QueuedJob(deployment.id, deployment.project_id, deployment.created_at, need)


def _memory_of(deployment: DeploymentRecord) -> int:
    model = ModelRecord.get_by_id(deployment.model_id)
    return _memory(model, deployment.context_length, deployment.slots)


def _memory(model: ModelRecord, context_length: int, slots: int) -> int:
    """Bytes that serving takes: the weights, the engine, and for each token of context about 1/8000 of the weights."""
    a_token = min(model.size // 8000, 256 << 10)
    return int(model.size + _ENGINE + context_length * slots * a_token)


def _desire(deployment: DeploymentRecord, **columns: Any) -> None:
    """Change what is desired: a new generation."""
    _change(deployment, generation=DeploymentRecord.generation + 1, **columns)


def _desired_replica(deployment: DeploymentRecord) -> ReplicaRecord | None:
    """What is to serve a deployment; of its machine, name and connectivity are read with it."""
    machine = (MachineRecord.id, MachineRecord.name, MachineRecord.connectivity)
    query = ReplicaRecord.select(ReplicaRecord, *machine).join(MachineRecord)
    wanted = query.where(ReplicaRecord.deployment == deployment.id, ReplicaRecord.desired_state == SERVING)
    newest: ReplicaRecord | None = wanted.order_by(ReplicaRecord.id.desc()).first()
    return newest


def _by_name(project: ProjectRecord, name: str) -> DeploymentRecord | None:
    of_name = (DeploymentRecord.project == project.id, DeploymentRecord.name == name)
    return DeploymentRecord.get_or_none(*of_name, is_kept(DeploymentRecord))


def _is_same(deployment: DeploymentRecord, desired: dict[str, Any]) -> bool:
    columns = ("context_length", "slots", "desired_state")
    return deployment.model_id == desired["model"].id and all(
        getattr(deployment, one) == desired[one] for one in columns
    )


def _change(deployment: DeploymentRecord, **columns: Any) -> None:
    DeploymentRecord.update(version=DeploymentRecord.version + 1, **columns).where(
        DeploymentRecord.id == deployment.id
    ).execute()


def wake(cp: ControlPlane, deployment: DeploymentRecord) -> None:
    """Tell the machines of a deployment, and who looks at it, that it has changed; once the change can be read."""
    replicas = ReplicaRecord.select(ReplicaRecord.machine).where(ReplicaRecord.deployment == deployment.id)
    machines = {f"machine:{replica.machine_id}" for replica in replicas}
    cp.signals.wake(f"deployment:{deployment.id}", f"project:{deployment.project_id}", "schedule", *machines)


def _within(field: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise FieldInvalid(field=field, problem=f"1 … {most}")
